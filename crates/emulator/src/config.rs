//! What the emulator is started with, and the names that follow from it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// The port AWS tools already look at when they are pointed at a laptop.
pub const DEFAULT_PORT: u16 = 4566;

/// The account that everything belongs to (LocalStack's, so that scripts written for it keep their ARNs).
pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// The region that everything is in.
pub const DEFAULT_REGION: &str = "us-east-1";

/// How to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where all state is.
    pub data_dir: PathBuf,
    /// The address to listen on; loopback unless the user said otherwise.
    pub host: IpAddr,
    /// The port of all AWS APIs; 0 takes a free one.
    pub port: u16,
    /// The template whose resources to create, with the values of its parameters.
    pub template: Option<PathBuf>,
    /// Values that override the parameters' defaults.
    pub parameters: BTreeMap<String, String>,
    /// The folder of the functions' binaries, by the name of the template's `Metadata: BuildProperties: Binary`.
    pub binaries: PathBuf,
    /// The port of a function's URL, by binary name; other functions' URLs take free ports.
    pub url_ports: BTreeMap<String, u16>,
    /// Twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// Whether a commit waits for the disk.
    pub fsync: bool,
    /// The seed of the faults to inject; none are without one.
    pub inject: Option<u64>,
}

impl Config {
    /// The defaults, with state in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Config {
            data_dir: data_dir.into(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: DEFAULT_PORT,
            template: None,
            parameters: BTreeMap::new(),
            binaries: PathBuf::from("target/release"),
            url_ports: BTreeMap::new(),
            account: DEFAULT_ACCOUNT.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            fsync: false,
            inject: None,
        }
    }

    /// Where AWS clients connect to: `http://127.0.0.1:4566`.
    pub fn endpoint(&self) -> String {
        let host = if self.host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { self.host };
        format!("http://{}", std::net::SocketAddr::new(host, self.port))
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}
