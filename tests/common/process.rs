//! The real binary as a running `andross relay`: its log, its control calls, its end.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::wait_until;

/// A running `andross relay`, killed when the test is over.
pub struct RelayProcess {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// What a control call was answered: the status and the JSON, null if there is none.
pub type Answer = (u16, Value);

impl RelayProcess {
    /// Starts `andross relay` with these arguments.
    pub fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
        command.arg("relay").args(args);
        Self::spawn(command)
    }

    /// Starts a command that becomes the relay.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.env_remove("RUST_LOG").stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = log.clone();
        thread::spawn(move || {
            for line in lines {
                sink.lock().unwrap().push(line.unwrap());
            }
        });
        Self { child, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line with `text`, waited for.
    pub fn wait_for_log(&self, text: &str) -> String {
        self.wait_for_logs(text, 1).swap_remove(0)
    }

    /// The lines with `text`, once there are `count`.
    pub fn wait_for_logs(&self, text: &str, count: usize) -> Vec<String> {
        let mut found = Vec::new();
        wait_until(&format!("the log says {text:?} {count} times"), || {
            found = self.logs(text);
            found.len() >= count
        });
        found
    }

    /// The lines with `text` so far.
    pub fn logs(&self, text: &str) -> Vec<String> {
        self.log.lock().unwrap().iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// Where spectators of the first station connect, as the log says.
    pub fn spectators(&self) -> SocketAddr {
        let line = self.wait_for_log("spectators connect to ");
        let (_, rest) = line.split_once("connect to ").unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Where control calls are answered, as the log says.
    pub fn http(&self) -> SocketAddr {
        let line = self.wait_for_log("control calls are answered on ");
        let (_, address) = line.split_once("http://").unwrap();
        address.trim().trim_end_matches('/').parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; fails if that does not come.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the relay ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Ends it through a control call; its exit code.
    pub fn shut_down(&mut self) -> Option<i32> {
        assert_eq!(self.post("/api/shutdown", None).0, 202);
        self.wait().code()
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub fn post(&self, path: &str, body: Option<Value>) -> Answer {
        self.call("POST", path, body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None)
    }

    /// Makes a control call, again when there were too many of late.
    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut answer = None;
        wait_until("a control call is answered", || {
            answer = Some(self.call_once(method, path, body.as_ref()));
            answer.as_ref().is_some_and(|(status, _)| *status != 429)
        });
        answer.unwrap()
    }

    fn call_once(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(super::PATIENCE))
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.http()));
        let answer = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                agent.run(request.body(body.to_string()).unwrap())
            }
            None if method == "POST" => agent.run(request.body(String::new()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A station as `GET /api/status` shows it, if there is one of that name.
    pub fn find_station(&self, name: &str) -> Option<StationView> {
        self.stations().into_iter().find(|station| station.name() == name)
    }

    /// A station that must be there.
    pub fn station(&self, name: &str) -> StationView {
        self.find_station(name).unwrap_or_else(|| panic!("there is no station {name}"))
    }

    pub fn stations(&self) -> Vec<StationView> {
        let status = self.get("/api/status");
        status["stations"].as_array().unwrap().iter().cloned().map(StationView).collect()
    }

    /// Waits until a station's stream is on.
    pub fn wait_until_connected(&self, name: &str) {
        wait_until(&format!("{name} is connected"), || {
            self.find_station(name).is_some_and(|it| it.0["connection"] == "connected")
        });
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Shown when the test failed.
        for line in self.log.lock().unwrap().iter() {
            println!("{line}");
        }
    }
}

/// A station as the control calls show it.
#[derive(Clone, PartialEq, Debug)]
pub struct StationView(pub Value);

impl StationView {
    pub fn id(&self) -> u64 {
        self.0["id"].as_u64().unwrap()
    }

    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    /// The call that is about it.
    pub fn path(&self) -> String {
        format!("/api/stations/{}", self.id())
    }

    pub fn console_address(&self) -> SocketAddr {
        self.0["consoleAddress"].as_str().unwrap().parse().unwrap()
    }

    pub fn raw_address(&self) -> SocketAddr {
        self.0["rawAddress"].as_str().unwrap().parse().unwrap()
    }

    /// Where its spectators connect: console protocol, raw.
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        (self.console_address(), self.raw_address())
    }
}
