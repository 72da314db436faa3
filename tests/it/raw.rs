//! AWS calls past the product, through boto3: to look at the account, and to edit it behind the product's back.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::venv;

/// A line to boto3.
pub struct Raw {
    // Held, not used: it ends when its standard input closes.
    _process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Raw {
    pub fn start(endpoint: &str) -> Self {
        let mut process = venv::script("raw.py")
            .arg(endpoint)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("raw.py");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        Self { _process: process, input, output }
    }

    /// Calls an operation as boto3 names it; its answer, all pages in one.
    #[track_caller]
    pub fn call(&mut self, service: &str, operation: &str, parameters: Value) -> Value {
        let asked = json!({"service": service, "operation": operation, "parameters": parameters});
        writeln!(self.input, "{asked}").expect("raw.py listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("raw.py answers");
        let mut reply: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert!(
            reply.get("error").is_none(),
            "{service} {operation} {parameters}: {}",
            reply["error"]
        );
        reply["answer"].take()
    }

    #[track_caller]
    pub fn ec2(&mut self, operation: &str, parameters: Value) -> Value {
        self.call("ec2", operation, parameters)
    }

    #[track_caller]
    pub fn elb(&mut self, operation: &str, parameters: Value) -> Value {
        self.call("elbv2", operation, parameters)
    }

    #[track_caller]
    pub fn rds(&mut self, operation: &str, parameters: Value) -> Value {
        self.call("rds", operation, parameters)
    }
}
