//! The emulator alone: `cargo run -p emulator --example serve -- DATA_DIR PORT [TEMPLATE]`.

use emulator::{Config, Emulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data_dir), Some(port)) = (arguments.next(), arguments.next()) else {
        return Err("expected DATA_DIR PORT [TEMPLATE]".into());
    };
    let mut config = Config::new(data_dir);
    config.port = port.parse()?;
    config.template = arguments.next().map(Into::into);
    let emulator = Emulator::start(config).await?;
    println!("{}", emulator.endpoint());
    tokio::signal::ctrl_c().await?;
    emulator.stop().await;
    Ok(())
}
