//! A headless Chromium, driven by its DevTools over pipes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs::{need_of, output};

/// Longer than Chromium takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Page {
    chromium: Child,
    commands: File,
    messages: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What the page complained of.
    pub complaints: Vec<Value>,
    /// What it asked for.
    requests: Vec<String>,
    _folder: TempDir,
}

impl Page {
    /// Opens a file; `hash` is what stands behind its address.
    pub fn open(file: &Path, hash: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            output(Command::new("mkfifo").arg(&path));
            path
        };
        let (into, from) = (pipe("in"), pipe("out"));
        let chromium = need_of("chromium", &["chromium"]);
        let started = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$PIPE_IN\" 4>\"$PIPE_OUT\""])
            .arg(chromium.get_program())
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--remote-debugging-pipe", "--window-size=1600,1400"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("PIPE_IN", &into)
            .env("PIPE_OUT", &from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        // In the order in which the shell opens the other ends.
        let commands = OpenOptions::new().write(true).open(&into).expect("the pipe in");
        let answers = BufReader::new(File::open(&from).expect("the pipe out"));
        let (tell, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let _ = tell.send(serde_json::from_slice(&message).expect("JSON"));
            }
        });
        let (session, last, complaints) = (None, 0, Vec::new());
        let mut page = Self {
            chromium: started,
            commands,
            messages,
            session,
            last,
            complaints,
            requests: Vec::new(),
            _folder: folder,
        };
        let target = page.call("Target.createTarget", json!({ "url": "about:blank" }));
        let to = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = page.call("Target.attachToTarget", to);
        page.session = Some(attached["sessionId"].as_str().expect("a session").to_owned());
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            page.call(domain, json!({}));
        }
        let url = format!("file://{}{hash}", file.display());
        page.call("Page.navigate", json!({ "url": url }));
        while page.next()["method"] != "Page.loadEventFired" {}
        page
    }

    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("Chromium to go on");
        if ["Runtime.exceptionThrown", "Log.entryAdded"].iter().any(|one| message["method"] == *one)
        {
            self.complaints.push(message.clone());
        }
        if message["method"] == "Network.requestWillBeSent" {
            let url = message["params"]["request"]["url"].as_str();
            self.requests.extend(url.map(str::to_owned));
        }
        message
    }

    /// It asked for nothing but the file, and complained of nothing.
    #[track_caller]
    pub fn came_from_nowhere_else(&mut self) {
        // Whatever is under way comes before this answer.
        assert_eq!(self.ask("performance.getEntriesByType('resource').length"), 0);
        let others: Vec<&String> =
            self.requests.iter().filter(|url| !url.starts_with("file://")).collect();
        assert_eq!(others, Vec::<&String>::new());
        assert!(!self.requests.is_empty(), "the file itself is a request");
        assert_eq!(self.complaints, Vec::<Value>::new());
    }

    /// In a window, or on a telephone, of this size.
    pub fn sized(&mut self, (width, height): (u32, u32)) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// What is to be seen in the window, as PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let taken = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let text = taken["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(text).expect("Base64")
    }

    #[track_caller]
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut call = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            call["sessionId"] = session.as_str().into();
        }
        let mut bytes = call.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("Chromium to listen");
        loop {
            let mut message = self.next();
            if message["id"] == self.last {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
        }
    }

    /// What a script gives.
    #[track_caller]
    pub fn ask(&mut self, script: &str) -> Value {
        let asked = json!({ "expression": script, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        answer["result"]["value"].take()
    }

    #[track_caller]
    fn mouse(&mut self, what: &str, (x, y): (f64, f64)) {
        let button = if what == "mouseMoved" { "none" } else { "left" };
        let event = json!({ "type": what, "x": x, "y": y, "button": button, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", event);
    }

    /// The middle of what a script gives, once it is in sight.
    #[track_caller]
    fn middle(&mut self, element: &str) -> (f64, f64) {
        let middle = self.ask(&format!(
            "(() => {{ const one = {element}; one.scrollIntoView({{ block: 'center' }}); \
             const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        (middle[0].as_f64().expect("a number"), middle[1].as_f64().expect("a number"))
    }

    /// Moves the pointer onto it.
    #[track_caller]
    pub fn hover(&mut self, element: &str) {
        let middle = self.middle(element);
        self.mouse("mouseMoved", middle);
    }

    #[track_caller]
    pub fn click(&mut self, element: &str) {
        let middle = self.middle(element);
        self.mouse("mousePressed", middle);
        self.mouse("mouseReleased", middle);
    }

    #[track_caller]
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    #[track_caller]
    pub fn press(&mut self, key: &str, code: u32) {
        for what in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": what, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// As for somebody who likes it light or dark.
    pub fn prefer(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}
