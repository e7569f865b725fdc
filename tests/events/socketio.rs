//! The event server from outside: stock clients of other people's making.

use std::path::PathBuf;
use std::process::Command;

use super::event_server::EventServer;
use super::stock_clients;

/// Runs a client's script in the folder where its packages are, for each transport.
fn run_client(program: &str, script: &str, profile: &str) {
    let Some(folder) = stock_clients::folder() else { return };
    let server = EventServer::start(profile);
    for transports in ["polling", "websocket", "polling,websocket"] {
        let output = Command::new(program.replace("{peers}", &folder.display().to_string()))
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
            .args([&server.port.to_string(), transports, profile])
            .current_dir(&folder)
            .output()
            .expect("the client runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} by {transports}, {profile}:\n{said}\n{failed}");
        assert!(said.lines().filter(|line| line.starts_with("ok ")).count() >= 10, "{said}");
    }
}

#[test]
fn the_javascript_client_by_polling_by_websocket_and_with_upgrade() {
    run_client("node", "socketio.mjs", "suite");
}

#[test]
fn the_javascript_client_gets_what_it_missed() {
    run_client("node", "socketio.mjs", "chat");
}

#[test]
fn the_python_client_by_polling_by_websocket_and_with_upgrade() {
    run_client("{peers}/venv/bin/python", "socketio.py", "suite");
    run_client("{peers}/venv/bin/python", "socketio.py", "chat");
}
