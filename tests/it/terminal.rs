//! A terminal with the program on it, as people see it: keys in, a screen out.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ecdeploy::report;
use rustix::pty;

use crate::product::Shop;

/// A run of ecdeploy on a terminal of its own.
pub struct Terminal {
    people: File,
    name: String,
    process: Child,
    drawn: Arc<Mutex<Vec<u8>>>,
    columns: usize,
    rows: usize,
}

impl Terminal {
    pub fn run(shop: &Shop, (columns, rows): (usize, usize), arguments: &[&str]) -> Self {
        let people = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("a pty");
        pty::grantpt(&people).expect("leave");
        pty::unlockpt(&people).expect("its lock");
        let name = pty::ptsname(&people, Vec::new()).expect("its name");
        let name = name.to_str().expect("a path in UTF-8").to_owned();
        let side = || Stdio::from(File::options().read(true).write(true).open(&name).expect("it"));
        // As a login does: in a session of its own, so that the terminal's Ctrl-C reaches it.
        let size = format!("stty rows {rows} cols {columns} && exec \"$0\" \"$@\"");
        let process = Command::new("setsid")
            .args(["--ctty", "--wait", "sh", "-c", &size, env!("CARGO_BIN_EXE_ecdeploy")])
            .args(arguments)
            .current_dir(shop.path("."))
            .env_clear()
            .envs([("TERM", "xterm-256color"), ("PATH", "/usr/bin:/bin")])
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("the binary, by util-linux's setsid");
        let people = File::from(people);
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (people.try_clone().expect("another"), drawn.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Once nobody has the other side open, reading fails.
            while let Ok(read) = from.read(&mut bytes) {
                to.lock().unwrap().extend(&bytes[..read]);
            }
        });
        Self { people, name, process, drawn, columns, rows }
    }

    /// Waits until this is to be read on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.screen().iter().any(|line| line.contains(text)) {
            let screen = self.screen();
            assert!(begun.elapsed() < Duration::from_secs(60), "no `{text}` on\n{screen:#?}");
            sleep(Duration::from_millis(20));
        }
    }

    pub fn resize(&mut self, columns: usize, rows: usize) {
        let (columns_text, rows_text) = (columns.to_string(), rows.to_string());
        let size = ["-F", &self.name, "cols", &columns_text, "rows", &rows_text];
        assert!(Command::new("stty").args(size).status().expect("stty").success());
        (self.columns, self.rows) = (columns, rows);
    }

    /// Presses Ctrl-C: the terminal echoes it, and interrupts what runs on it.
    pub fn interrupt(&mut self) {
        self.people.write_all(b"\x03").expect("a key");
    }

    pub fn ends(&mut self) -> i32 {
        let status = self.process.wait().expect("its end");
        // What it said last.
        sleep(Duration::from_millis(100));
        status.code().expect("it was not killed")
    }

    /// Everything that was written, line by line, without colours: as no terminal has broken it.
    pub fn lines(&self) -> Vec<String> {
        let drawn = self.drawn.lock().unwrap().clone();
        let text = report::plain(&String::from_utf8_lossy(&drawn).replace('\r', ""));
        text.lines().map(str::to_owned).collect()
    }

    /// What is to be seen by now.
    pub fn screen(&self) -> Vec<String> {
        let drawn = self.drawn.lock().unwrap().clone();
        drawn_on(&String::from_utf8_lossy(&drawn), self.columns, self.rows)
    }
}

/// What a terminal of this size shows of it: as much of one as ecdeploy uses.
fn drawn_on(text: &str, columns: usize, rows: usize) -> Vec<String> {
    let mut screen = vec![Vec::<char>::new(); rows];
    let mut aside = None;
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' if row + 1 == rows => {
                screen.remove(0);
                screen.push(Vec::new());
            }
            '\n' => row += 1,
            '\u{8}' => column = column.saturating_sub(1),
            '\u{1b}' => {
                let mut sequence = String::new();
                for c in rest.by_ref().skip(1) {
                    sequence.push(c);
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
                let last = sequence.chars().last().unwrap_or(' ');
                let number = sequence.trim_end_matches(last).parse().unwrap_or(1);
                match (last, sequence.as_str()) {
                    ('A', _) => row = row.saturating_sub(number),
                    ('H', _) => (row, column) = (0, 0),
                    ('K', _) => screen[row].truncate(column),
                    ('J', _) => {
                        screen[row].truncate(column);
                        screen[row + 1..].iter_mut().for_each(Vec::clear);
                    }
                    (_, "?1049h") => {
                        aside = Some((std::mem::replace(&mut screen, vec![Vec::new(); rows]), row));
                    }
                    (_, "?1049l") => (screen, row) = aside.take().expect("it was lent"),
                    _ => {}
                }
            }
            c => {
                if column == columns {
                    column = 0;
                    row += 1;
                }
                if row == rows {
                    row -= 1;
                    screen.remove(0);
                    screen.push(Vec::new());
                }
                let line = &mut screen[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    screen.into_iter().map(|line| line.into_iter().collect()).collect()
}
