//! Real NATS servers on loopback: one, or the three of packaging/nats.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::cable::Cable;
use super::ports::free_row;
use super::wait_until;

/// Passwords of the users of packaging/nats. Nothing may ever show them.
pub const PUBLISH_PASSWORD: &str = "publish-Hunter2";
pub const EDGE_PASSWORD: &str = "edge-Hunter2";

/// One `nats-server`, killed when the test is over.
pub struct NatsServer {
    process: Option<Child>,
    args: Vec<String>,
    pub address: SocketAddr,
    folder: TempDir,
    /// What the others of its cluster call it.
    pub name: String,
}

/// The network between the servers of a cluster: a cable from each to each other.
pub struct Network {
    cables: [[Option<Cable>; 3]; 3],
}

impl Network {
    /// The cables from and to server `n`.
    fn of(&self, n: usize) -> impl Iterator<Item = &Cable> {
        let to = self.cables.iter().map(move |row| &row[n]);
        self.cables[n].iter().chain(to).flatten()
    }

    /// Cuts server `n` off from the others. Its own clients still reach it.
    pub fn cut_off(&self, n: usize) {
        self.of(n).for_each(Cable::pull);
    }

    /// Joins it again.
    pub fn heal(&self, n: usize) {
        self.of(n).for_each(Cable::put_back);
    }
}

fn route_to(address: SocketAddr) -> String {
    format!("nats://{address}")
}

/// The program, if it is installed.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has it among the administrator's programs.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("nats-server")).find(|program| program.is_file())
}

/// The folder of the tests' keys and certificates.
pub fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nats/keys")
}

/// Whether there are NATS servers to test with; says so if not.
pub fn is_there() -> bool {
    let is_there = program().is_some();
    assert!(
        is_there || std::env::var_os("ANDROSS_REQUIRE_NATS").is_none(),
        "nats-server is required, but not installed"
    );
    if !is_there {
        eprintln!("skipped: nats-server is not installed (apt-get install nats-server)");
    }
    is_there
}

impl NatsServer {
    /// A server with JetStream and no rules, and more options if need be.
    pub fn start(more: &[&str]) -> Self {
        let address = free_row(1);
        let folder = tempfile::tempdir().unwrap();
        let mut args = vec!["-js".to_owned(), "-sd".into(), folder.path().display().to_string()];
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        Self::spawn(args, address, folder, "alone".into())
    }

    /// The three servers of packaging/nats, at other ports.
    pub fn cluster() -> [Self; 3] {
        let listen = free_row(3);
        let all = [0, 1, 2].map(|n| route_to((listen.ip(), listen.port() + n).into())).join(",");
        Self::three(listen, |_| vec!["--routes".into(), all.clone()])
    }

    /// The same, and the network between them.
    pub fn cluster_on_cables() -> ([Self; 3], Network) {
        let listen = free_row(3);
        let cables = [0_u16, 1, 2].map(|from| {
            [0_u16, 1, 2].map(|to| {
                let address = (listen.ip(), listen.port() + to).into();
                (from != to).then(|| Cable::to(address))
            })
        });
        let network = Network { cables };
        let servers = Self::three(listen, |n| {
            let routes = network.cables[usize::from(n)].iter().flatten();
            let routes: Vec<_> = routes.map(|cable| route_to(cable.address())).collect();
            // They tell each other their addresses, and would find a way past the cables.
            let nowhere = "127.0.0.1:9".to_owned();
            vec!["--routes".into(), routes.join(","), "--cluster_advertise".into(), nowhere]
        });
        (servers, network)
    }

    fn three(listen: SocketAddr, routes: impl Fn(u16) -> Vec<String>) -> [Self; 3] {
        let first = free_row(3);
        let servers = [0, 1, 2].map(|n| {
            let folder = tempfile::tempdir().unwrap();
            let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/nats/andross.conf");
            let own = route_to((listen.ip(), listen.port() + n).into());
            let mut args = vec!["-c".to_owned(), config.display().to_string()];
            args.extend(["--cluster".into(), own]);
            args.extend(routes(n));
            let address = (first.ip(), first.port() + n).into();
            Self::spawn(args, address, folder, format!("andross-{}", n + 1))
        });
        // They choose who is in charge of JetStream.
        wait_until("the cluster has a leader", || {
            servers
                .iter()
                .any(|server| server.log().contains("JetStream cluster new metadata leader"))
        });
        servers
    }

    fn spawn(args: Vec<String>, address: SocketAddr, folder: TempDir, name: String) -> Self {
        let mut server = Self { process: None, args, address, folder, name };
        server.restart();
        server
    }

    /// Starts it (again), with what it had stored, and waits until it listens.
    pub fn restart(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).unwrap();
        let process = Command::new(program().unwrap())
            .args(&self.args)
            .args(["-a", "127.0.0.1", "-p", &self.address.port().to_string()])
            .current_dir(keys())
            .env("ANDROSS_NATS_NAME", &self.name)
            .env("ANDROSS_PUBLISH_PASSWORD", PUBLISH_PASSWORD)
            .env("ANDROSS_EDGE_PASSWORD", EDGE_PASSWORD)
            .env("ANDROSS_NATS_STORE", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        wait_until("NATS listens", || std::net::TcpStream::connect(self.address).is_ok());
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its address for andross.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// The same for a user of packaging/nats.
    pub fn publisher(&self) -> String {
        format!("nats://publisher:{PUBLISH_PASSWORD}@{}", self.address)
    }

    /// The same for a user of packaging/nats who only reads.
    pub fn edge(&self) -> String {
        format!("nats://edge:{EDGE_PASSWORD}@{}", self.address)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
        // Shown when the test failed.
        print!("{}", self.log());
    }
}
