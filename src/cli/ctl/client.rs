//! The calls over HTTP, with errors that say what to do.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use andross::config::secret_file;
use andross::control::ErrorBody;
use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Method, Request, StatusCode};

use super::text::printable;

/// How long the relay may take for an answer.
const CALL_TIME: Duration = Duration::from_secs(15);

/// The largest answer: the spectators of the largest relay are a few MiB.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// One relay.
pub struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Client {
    /// A client of the relay at `url`.
    pub fn new(url: &str, token_file: Option<&Path>) -> anyhow::Result<Self> {
        if !url.starts_with("http://") {
            bail!("`{url}` is no URL of a relay; write --url http://host:port");
        }
        let token = token_file.map(read_token).transpose()?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A relay is on this computer or in this network, not behind the proxy to the internet.
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(CALL_TIME))
            .user_agent(concat!("andross/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned(), token })
    }

    pub fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.read(&self.call(Method::GET, path, None)?)
    }

    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.read(&self.call(Method::POST, path, Some(serde_json::to_vec(body)?))?)
    }

    /// A body of no bytes says so, where no body would be announced as one of unknown length.
    pub fn post_nothing<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.read(&self.call(Method::POST, path, Some(Vec::new()))?)
    }

    pub fn post_and_forget(&self, path: &str) -> anyhow::Result<()> {
        self.call(Method::POST, path, Some(Vec::new())).map(drop)
    }

    pub fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.read(&self.call(Method::PATCH, path, Some(serde_json::to_vec(body)?))?)
    }

    pub fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.call(Method::DELETE, path, None).map(drop)
    }

    fn read<T: DeserializeOwned>(&self, answer: &[u8]) -> anyhow::Result<T> {
        serde_json::from_slice(answer).map_err(|error| {
            anyhow!("what {} answers is not what this andross understands: {error}; is it another version?", self.url)
        })
    }

    /// Makes a call; the body of its answer if it went well.
    fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body);
                self.agent.run(request.with_context(|| self.no_url())?)
            }
            None => self.agent.run(request.body(()).with_context(|| self.no_url())?),
        };
        let (head, body) = answer.map_err(|error| self.unreachable(&error))?.into_parts();
        let body = body
            .into_with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(|error| self.unreachable(&error))?;
        if head.status.is_success() { Ok(body) } else { Err(self.refused(head.status, &body)) }
    }

    fn no_url(&self) -> String {
        format!("`{}` is no URL of a relay; write --url http://host:port", self.url)
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        let url = &self.url;
        match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => anyhow!(
                "nobody answers at {url}: is `andross relay` running there? --url says where"
            ),
            ureq::Error::ConnectionFailed => anyhow!(
                "nobody answers at {url}: is `andross relay` running there? --url says where"
            ),
            ureq::Error::HostNotFound => {
                anyhow!("there is no computer of the name in {url}; --url takes an address, too")
            }
            ureq::Error::Timeout(_) => anyhow!(
                "no answer from {url} within {} seconds: is this the right address? --url says where",
                CALL_TIME.as_secs()
            ),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => anyhow!(self.no_url()),
            other => anyhow!("no answer from {url}: {}", printable(&other.to_string())),
        }
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> anyhow::Error {
        let Ok(ErrorBody { code, message }) = serde_json::from_slice(body) else {
            return anyhow!(
                "{} answers {status}, which no andross does so: --url says where the relay is",
                self.url
            );
        };
        let message = printable(&message);
        match code.as_str() {
            "no-token" => anyhow!("the relay wants its token: --token-file FILE says where it is"),
            "wrong-token" => anyhow!("this is not the token of the relay at {}", self.url),
            _ => anyhow!(message),
        }
    }
}

fn read_token(path: &Path) -> anyhow::Result<String> {
    let token = secret_file::read(path, "the token")
        .with_context(|| format!("cannot read the token in {}", path.display()))?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("the first line of {} is no token", path.display());
    }
    Ok(token)
}
