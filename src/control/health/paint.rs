//! Draws a plot as SVG.
//!
//! The letters are the browser's: nothing here looks for a font, sizes of texts are estimates. What is
//! drawn depends on the samples and the look only, and contains no text from outside.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::{
    ChartBuilder, Circle, DashedLineSeries, DrawingArea, DrawingAreaErrorKind, DrawingBackend,
    IntoDrawingArea, IntoFont, LineSeries, PathElement, Polygon, RGBColor, Rectangle, SVGBackend,
    Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, ShapeStyle};
use serde::Deserialize;
use utoipa::ToSchema;

use super::axis::{minute, minutes};
use super::picture::{Ink, Mark, Picture, Shape};

/// How wide a plot can be, in pixels: a small phone, half of a large screen.
pub(super) const WIDTHS: RangeInclusive<u32> = 240..=1600;

/// How wide it is if nobody says so.
pub(super) const WIDTH: u32 = 560;

/// How high each is.
const HEIGHT: u32 = 200;

/// What is above the plot: the legend.
const LEGEND_HEIGHT: u32 = 24;

/// What is left of it: room for "100 kB/s".
const LEFT: u32 = 62;

/// What is right of it: half of "now".
const RIGHT: u32 = 18;

/// The letters of the pages; the browser takes the first that it has.
const LETTERS: FontFamily<'_> = FontFamily::Name("system-ui, -apple-system, Segoe UI, sans-serif");

/// Letters' height in pixels. The SVG backend writes sizes divided by 1.24.
const LETTER_SIZE: f64 = 12.0 * 1.24;

/// About how wide a letter is, for the legend.
const LETTER_WIDTH: f64 = 6.6;

/// The line of an entry in the legend, and the space behind it and behind the entry.
const KEY: (i32, i32, i32) = (16, 5, 14);

/// How much of its colour a band has below its line.
const BAND_OPACITY: f64 = 0.3;

/// Narrower than this the legend begins at the edge, to have room for all.
const NARROW: u32 = 420;

/// Colours for a light or a dark page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// How a plot is to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Pixels.
    pub(super) width: u32,
    pub(super) theme: Theme,
    /// The time that it shows.
    pub(super) span: Duration,
}

/// As in `style.css`: letters have a contrast of at least 4.5 to the ground, lines of 3.
struct Colours {
    ground: RGBColor,
    grid: RGBColor,
    letters: RGBColor,
    quiet: RGBColor,
    bad: RGBColor,
    marks: [RGBColor; 4],
}

const LIGHT: Colours = Colours {
    ground: RGBColor(0xFF, 0xFF, 0xFF),
    grid: RGBColor(0xE3, 0xE6, 0xEC),
    letters: RGBColor(0x5A, 0x62, 0x72),
    quiet: RGBColor(0x7D, 0x86, 0x98),
    bad: RGBColor(0xB3, 0x26, 0x1E),
    marks: [
        RGBColor(0x3D, 0x4F, 0xD6),
        RGBColor(0xB4, 0x53, 0x09),
        RGBColor(0x0F, 0x76, 0x6E),
        RGBColor(0x9D, 0x3F, 0xB0),
    ],
};

const DARK: Colours = Colours {
    ground: RGBColor(0x18, 0x1B, 0x22),
    grid: RGBColor(0x2B, 0x31, 0x3D),
    letters: RGBColor(0xA2, 0xAB, 0xBD),
    quiet: RGBColor(0x8A, 0x93, 0xA6),
    bad: RGBColor(0xFF, 0x8A, 0x80),
    marks: [
        RGBColor(0x8F, 0x9D, 0xFF),
        RGBColor(0xF0, 0xB8, 0x4A),
        RGBColor(0x4F, 0xD1, 0xB8),
        RGBColor(0xE2, 0x9A, 0xF0),
    ],
};

impl Theme {
    fn colours(self) -> &'static Colours {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

impl Colours {
    fn of(&self, ink: Ink) -> RGBColor {
        match ink {
            Ink::First => self.marks[0],
            Ink::Second => self.marks[1],
            Ink::Third => self.marks[2],
            Ink::Fourth => self.marks[3],
            Ink::Quiet => self.quiet,
            Ink::Bad => self.bad,
        }
    }
}

/// A scale with ticks where we want them: the library's own has no say in that.
struct Scale {
    /// The values at its ends.
    range: (f64, f64),
    ticks: Vec<f64>,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let (low, high) = self.range;
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // It asks for the ticks first, and then for lines between them, of which there are none.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

type Result<T, B> = std::result::Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// The plot as an SVG document.
///
/// # Errors
/// Writing to a string does not fail; the drawing library's types say that it might.
pub(super) fn draw(picture: &Picture, look: Look) -> Result<String, SVGBackend<'static>> {
    let mut svg = String::with_capacity(32 * 1024);
    let area = SVGBackend::with_string(&mut svg, (look.width, HEIGHT)).into_drawing_area();
    let colours = look.theme.colours();
    area.fill(&colours.ground)?;
    let (top, below) = area.split_vertically(LEGEND_HEIGHT);
    draw_legend(&top, &picture.marks, colours)?;
    draw_chart(&below, picture, look.span, colours)?;
    if let Some(remark) = picture.remark {
        let (width, height) = below.dim_in_pixel();
        let middle = ((LEFT + width - RIGHT) / 2, (height - LEGEND_HEIGHT) / 2);
        let style = letters(colours).pos(Pos::new(HPos::Center, VPos::Center));
        below.draw(&Text::new(remark, (middle.0 as i32, middle.1 as i32), style))?;
    }
    area.present()?;
    drop((area, top, below));
    Ok(svg)
}

fn letters(colours: &Colours) -> TextStyle<'_> {
    TextStyle::from((LETTERS, LETTER_SIZE).into_font()).color(&colours.letters)
}

fn draw_legend<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    marks: &[Mark],
    colours: &Colours,
) -> Result<(), B> {
    let middle = LEGEND_HEIGHT as i32 / 2;
    let style = letters(colours).pos(Pos::new(HPos::Left, VPos::Center));
    let (key, behind_key, behind) = KEY;
    let is_narrow = area.dim_in_pixel().0 < NARROW;
    let mut x = if is_narrow { 6 } else { LEFT as i32 };
    for mark in marks.iter().rev() {
        let colour = colours.of(mark.ink);
        match &mark.shape {
            Shape::Lines(_, width) => {
                let line = vec![(x, middle), (x + key, middle)];
                // A single pixel lies between two rows, and is pale.
                area.draw(&PathElement::new(line, colour.stroke_width((*width).max(2))))?;
            }
            Shape::Limit(_) => {
                for from in [x, x + 6, x + 12] {
                    let dash = vec![(from, middle), (from + 4, middle)];
                    area.draw(&PathElement::new(dash, colour.stroke_width(2)))?;
                }
            }
            Shape::Moments(_) => {
                let line = vec![(x + key / 2, middle - 6), (x + key / 2, middle + 6)];
                area.draw(&PathElement::new(line, colour.stroke_width(2)))?;
            }
            Shape::Band(_) | Shape::Bars(_) => {
                let corners = [(x + 2, middle - 5), (x + key - 2, middle + 5)];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
            }
        }
        x += key + behind_key;
        area.draw(&Text::new(mark.name, (x, middle), style.clone()))?;
        x += (mark.name.len() as f64 * LETTER_WIDTH) as i32 + behind;
    }
    Ok(())
}

fn draw_chart<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    picture: &Picture,
    span: Duration,
    colours: &Colours,
) -> Result<(), B> {
    let (low, high) = picture.axis.range();
    let from = -(span.as_secs_f64() / 60.0);
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_right(RIGHT)
        .x_label_area_size(24)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(
            Scale { range: (from, 0.0), ticks: minutes(span) },
            Scale { range: (low, high), ticks: picture.axis.ticks.clone() },
        )?;
    chart
        .configure_mesh()
        .light_line_style(ShapeStyle {
            color: colours.grid.mix(0.0),
            filled: false,
            stroke_width: 0,
        })
        .bold_line_style(colours.grid.stroke_width(1))
        .axis_style(colours.grid.stroke_width(1))
        .label_style(letters(colours))
        .set_all_tick_mark_size(4)
        .x_label_formatter(&|time| minute(*time))
        .y_label_formatter(&|value| (picture.axis.label)(*value))
        .draw()?;
    for mark in &picture.marks {
        let colour = colours.of(mark.ink);
        match &mark.shape {
            Shape::Lines(runs, width) => {
                for run in runs {
                    if let [alone] = run[..] {
                        chart.draw_series([Circle::new(alone, 2, colour.filled())])?;
                    }
                    let line = run.iter().copied();
                    chart.draw_series(LineSeries::new(line, colour.stroke_width(*width)))?;
                }
            }
            Shape::Band(band) => {
                let top = band.iter().map(|&(time, _, high)| (time, high));
                let bottom = band.iter().rev().map(|&(time, low, _)| (time, low));
                let outline: Vec<_> = top.clone().chain(bottom).collect();
                let fill = colour.mix(BAND_OPACITY).filled();
                chart.draw_series([Polygon::new(outline, fill)])?;
                chart.draw_series(LineSeries::new(top, colour.stroke_width(2)))?;
            }
            Shape::Bars(bars) => {
                let bar = |&(from, to, height): &(f64, f64, f64)| {
                    // A frame around it keeps it visible where it is narrower than a pixel.
                    let corners = [(from, height), (to, 0.0)];
                    [Rectangle::new(corners, colour.filled()), Rectangle::new(corners, colour)]
                };
                chart.draw_series(bars.iter().flat_map(bar))?;
            }
            Shape::Limit(value) => {
                let line = [(from, *value), (0.0, *value)];
                let style = colour.stroke_width(1);
                chart.draw_series(DashedLineSeries::new(line, 5, 4, style))?;
            }
            Shape::Moments(times) => {
                let line = |&time: &f64| {
                    PathElement::new(vec![(time, low), (time, high)], colour.stroke_width(2))
                };
                chart.draw_series(times.iter().map(line))?;
            }
        }
    }
    Ok(())
}
