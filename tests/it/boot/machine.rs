//! A machine of the user service: a folder that stands for its disk, and what surrounds it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ecdeploy::{boot, topology};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Pids;
use super::cloud_init;
use super::stores::Stores;
use crate::emulator::{Account, Emulator, free_port};
use crate::programs::{find, need, npm, output, user};
use crate::venv;

const BUCKET: &str = "builds";
const REPOSITORY: &str = "https://git.example.com/shop.git";
const FIRST_PASSWORD: &str = "first-pass'word\"$";

/// What stands in for package manager and the like.
const SHIMS: &str = "tests/boot/shims";

pub struct Machine {
    account: Account,
    pub stores: Stores,
    root: TempDir,
    port: u16,
    secret: String,
    pub passwords: Vec<String>,
    /// Of the artifact, as the file says.
    pub checksum: String,
    /// The folder of what its distribution has besides.
    pub system: PathBuf,
}

impl Machine {
    /// One that takes its artifact from S3.
    pub fn of_debian() -> Self {
        let mut machine = Self::new();
        machine.pack();
        machine.render(&format!(
            "s3 = \"s3://{BUCKET}/${{service}}.tar.gz\", sha256 = \"{}\"",
            machine.checksum
        ));
        machine
    }

    /// One whose Node is called by its version, and that lacks the AWS CLI at first, as the minimal image does.
    pub fn of_amazon_linux() -> Self {
        let machine = Self::of_ubuntu();
        let has = |name: &str, file| symlink(file, machine.system.join(name)).expect("a link");
        let (aws, later) = (machine.system.join("aws"), machine.path("aws"));
        fs::rename(&aws, &later).expect("its AWS CLI");
        machine.program("aws", "exit 127");
        machine.program(
            "dnf",
            &format!(
                "echo \"dnf $*\" >>\"$BOOT_ROOT/edge.log\"; [[ $* != *' awscli-2' ]] || cp {} {}",
                later.display(),
                aws.display()
            ),
        );
        for name in ["node", "npm"] {
            has(&format!("{name}-{}", machine.node()), find(name).expect("Node"));
        }
        machine
    }

    /// One that takes its artifact from git.
    pub fn of_ubuntu() -> Self {
        let mut machine = Self::new();
        machine.checksum = machine.commit("the service");
        let artifact =
            format!("git = \"{REPOSITORY}\", ref = \"v1\", commit = \"{}\"", machine.checksum);
        machine.render(&artifact);
        machine
    }

    fn new() -> Self {
        let mut account = Emulator::Moto.lend();
        // In the system's folder for such, and open as a machine's root is.
        let root = TempDir::new().expect("a folder");
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("a folder of ours");
        fs::create_dir(root.path().join("system")).expect("a folder");
        let stores = Stores::start(FIRST_PASSWORD);
        account.raw.call(
            "s3",
            "create_bucket",
            json!({"Bucket": BUCKET, "CreateBucketConfiguration":
            {"LocationConstraint": "ap-southeast-1"}}),
        );
        let secret = json!({"Name": "rds!db-user", "SecretString": secret(FIRST_PASSWORD)});
        let secret = account.raw.call("secretsmanager", "create_secret", secret);
        let machine = Self {
            account,
            stores,
            system: root.path().join("system"),
            root,
            port: free_port(),
            secret: secret["ARN"].as_str().expect("its ARN").to_owned(),
            passwords: vec![FIRST_PASSWORD.to_owned()],
            checksum: String::new(),
        };
        // Debian's is too old to find the emulator by AWS_ENDPOINT_URL.
        let aws = need("aws").get_program().display().to_string();
        machine.program("aws", &format!("exec {aws} --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\""));
        machine
    }

    /// A program that its distribution has.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.system.join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).expect("a program");
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a program of ours");
    }

    /// npm's packages take long: here they are empty.
    pub fn without_packages(&self) {
        self.program("npm", "mkdir -p bin && for file in bin/pm2 installed; do echo >$file; done");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The example's service, and what makes it hungry; packed from a folder that only its owner may read.
    fn pack(&mut self) {
        let folder = self.path("service");
        fs::create_dir(&folder).expect("a folder");
        let example = venv::root().join("examples/user-service");
        for name in ["package.json", "package-lock.json", "server.js", "users.js"] {
            fs::copy(example.join(name), folder.join(name)).expect("a file of the example");
        }
        let hungry = venv::root().join("tests/boot/hungry.js");
        fs::copy(hungry, folder.join("hungry.js")).expect("the hungry one");
        output(Command::new("chmod").args(["-R", "go="]).arg(&folder));
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(self.path("service.tar.gz"));
        output(tar.arg("-C").arg(&folder).arg("."));
        let sum = output(Command::new("sha256sum").arg(self.path("service.tar.gz")));
        self.checksum = sum.split_whitespace().next().expect("a sum").to_owned();
    }

    /// Commits the example's service, tags it `v1` and gives the commit.
    pub fn commit(&self, message: &str) -> String {
        let repository = self.path("repository");
        if !repository.exists() {
            let mut copy = Command::new("cp");
            output(copy.arg("-r").arg(venv::root().join("examples")).arg(&repository));
            self.git(&["init", "-q"]);
        }
        self.git(&["add", "user-service"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.tag("HEAD");
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Calls this commit `v1`, whatever was called so before.
    pub fn tag(&self, commit: &str) {
        self.git(&["tag", "--force", "v1", commit]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = need("git");
        git.arg("-C").arg(self.path("repository"));
        git.args(["-c", "user.name=ada", "-c", "user.email=ada@example.com"]);
        output(git.args(arguments))
    }

    /// The major version of this machine's Node.
    pub fn node(&self) -> String {
        let version = output(need("node").arg("--version"));
        let major = version.trim_start_matches('v').split('.').next();
        major.expect("a version").to_owned()
    }

    /// Its user data, as the drawn system renders it for this Node, this port, this artifact, and a smaller memory.
    fn render(&self, artifact: &str) {
        let text =
            fs::read_to_string(venv::root().join("topology.toml")).expect("the drawn system");
        let node = self.node();
        let lines = text.lines().map(|line| match line.split_whitespace().next() {
            Some("node") => format!("node = {node}"),
            Some("process") if artifact.starts_with("s3") => {
                "process = { script = \"hungry.js\", max_memory = 160 }".to_owned()
            }
            Some("artifact") if artifact.starts_with("s3") => {
                format!("artifact = {{ {artifact} }}")
            }
            Some("artifact") => {
                format!("artifact = {{ {artifact}, directory = \"${{service}}-service\" }}")
            }
            Some("port") if line.ends_with(" 3001") => format!("port = {}", self.port),
            _ => line.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let topology =
            topology::parse("topology.toml", &text, &[]).unwrap_or_else(|e| panic!("{e}"));
        let service = topology.service("user").expect("the user service");
        let user_data = boot::user_data(&topology, service).expect("an artifact");
        cloud_init::write_files(&user_data, self.root.path());
    }

    pub fn upload(&self, content: &str) {
        fs::write(self.path("other"), content).expect("a file");
        self.put("other");
    }

    pub fn upload_service(&self) {
        self.put("service.tar.gz");
    }

    fn put(&self, file: &str) {
        let mut aws = self.command(&self.system.join("aws"));
        aws.args(["s3", "cp", "--only-show-errors", "--region", "ap-southeast-1"]);
        output(aws.arg(self.path(file)).arg(format!("s3://{BUCKET}/user.tar.gz")));
    }

    /// In apply's stead: where the stores of this test are.
    pub fn publish(&mut self) {
        let (database, cache) = (self.stores.database.to_string(), self.stores.cache.to_string());
        let secret = self.secret.clone();
        for (name, value) in [
            ("DATABASE_HOST", "localhost"),
            ("DATABASE_PORT", &database),
            ("DATABASE_NAME", "user_db"),
            ("DATABASE_SECRET_ARN", &secret),
            ("REDIS_HOST", "127.0.0.1"),
            ("REDIS_PORT", &cache),
        ] {
            let name = format!("/ecommerce/user/{name}");
            let parameter = json!({"Name": name, "Value": value, "Type": "String"});
            self.account.raw.call("ssm", "put_parameter", parameter);
        }
    }

    /// What apply published, all of it.
    pub fn parameters(&mut self) -> String {
        let all = json!({"Path": "/", "Recursive": true});
        self.account.raw.call("ssm", "get_parameters_by_path", all).to_string()
    }

    /// As RDS does it: in the database and in the secret.
    pub fn change_password(&mut self, password: &str) {
        let literal = password.replace('\'', "''");
        self.stores.sql(&format!("ALTER USER app PASSWORD '{literal}'"));
        self.stores.password = password.to_owned();
        self.passwords.push(password.to_owned());
        let new = json!({"SecretId": self.secret, "SecretString": secret(password)});
        self.account.raw.call("secretsmanager", "put_secret_value", new);
        self.stores.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'app'");
    }

    /// As it is when cloud-init has written its files.
    pub fn renew(&self) {
        for folder in ["etc", "opt", "usr", "var", "edge.log"] {
            output(Command::new("rm").arg("-rf").arg(self.path(folder)));
        }
        let user_data = fs::read_to_string(self.path("user-data")).expect("its user data");
        cloud_init::write_files(&user_data, self.root.path());
    }

    /// What systemd starts at every boot, and again until it succeeds; tells whether it did.
    pub fn boot(&self) -> bool {
        self.setup().status().expect("the script").success()
    }

    pub fn setup(&self) -> Command {
        let unit = self.path("etc/systemd/system/ecommerce-user-setup.service");
        let unit = fs::read_to_string(unit).expect("the unit of the set-up");
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/"));
        let mut command = self.command(&self.path(start.expect("what it runs")));
        let log = fs::File::create(self.path("setup.log")).expect("a log");
        // What it starts must not hold a pipe of this test open.
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        command
    }

    pub fn systemctl(&self, verb: &str, unit: &str) {
        output(self.command(&venv::root().join(SHIMS).join("systemctl")).arg(verb).arg(unit));
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let node = find("node").expect("Node");
        let path = [&self.system, &venv::root().join(SHIMS), node.parent().expect("its folder")]
            .map(|folder| folder.display().to_string());
        let path = format!(
            "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            path.join(":")
        );
        command.env_clear().env("PATH", path).current_dir("/");
        // Where packages come from, as whoever runs the tests has it.
        let kept = |name: &str| {
            name.starts_with("PIP_")
                || ["HOME", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"].contains(&name)
        };
        command.envs(std::env::vars().filter(|(name, _)| kept(name))).envs(npm().iter().cloned());
        command.envs([
            ("AWS_ENDPOINT_URL", self.account.url().as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("PM2_WORKER_INTERVAL", "500"),
            ("PIP_NO_COMPILE", "1"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", &format!("url.{}.insteadOf", self.path("repository").display())),
            ("GIT_CONFIG_VALUE_0", REPOSITORY),
            ("BOOT_USER", &user()),
        ]);
        command.env("BOOT_ROOT", self.root.path()).env("BOOT_CA", self.stores.authority());
        command
    }

    pub fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap_or_default();
        format!("{}{}", read("var/log/ecommerce/user-boot.log"), read("setup.log"))
    }

    /// What was asked of that which is stood in for.
    pub fn edge(&self) -> String {
        fs::read_to_string(self.path("edge.log")).unwrap_or_default()
    }

    /// The workers that answer.
    pub fn workers(&self) -> Pids {
        let answers = (0..8).filter_map(|_| self.try_to_ask("GET", "/health", ""));
        answers.filter_map(|(_, answer)| u32::try_from(answer["pid"].as_u64()?).ok()).collect()
    }

    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_to_ask(method, path, body).expect("an answer")
    }

    /// HTTP/1.0, so that the answer comes whole and the next request finds the other worker.
    fn try_to_ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
    }

    /// Everything that was installed, with its time, mode and owner; logs grow, and the service notes what it likes.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut find = Command::new("find");
        find.current_dir(self.root.path()).args(["etc", "opt", "usr", "var"]);
        for left_out in ["*/node_modules", "*/.git", "var/log", "var/lib/ecdeploy/ecommerce/*"] {
            find.args(["-path", left_out, "-prune", "-o"]);
        }
        find.args(["-type", "d", "-printf", "%p\\t%M %u\\n", "-o"]);
        let listed = output(find.args(["-printf", "%p\\t%M %u %l %T@\\n"]));
        let file = |line: &str| {
            line.split_once('\t').map(|(name, what)| (name.to_owned(), what.to_owned()))
        };
        listed.lines().filter_map(file).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Those that still wait: for settings, for an artifact.
        let waiting = self.path("opt/ecommerce/bin/boot");
        let _ = Command::new("pkill").arg("-f").arg(waiting).status();
        let mut systemctl = self.command(&venv::root().join(SHIMS).join("systemctl"));
        let _ = systemctl.args(["stop", "ecommerce-user.service"]).output();
    }
}

fn secret(password: &str) -> String {
    json!({"username": "app", "password": password}).to_string()
}
