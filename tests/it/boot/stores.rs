//! A real PostgreSQL and a real Redis, thrown away afterwards.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::emulator::free_port;
use crate::programs::{find, is_root, need, output};

pub struct Stores {
    /// In the system's folder for such: PostgreSQL runs as nobody, who may not look into root's.
    folder: TempDir,
    pub database: u16,
    pub cache: u16,
    pub password: String,
}

impl Stores {
    pub fn start(password: &str) -> Self {
        let stores = Self {
            folder: TempDir::new().expect("a folder"),
            database: free_port(),
            cache: free_port(),
            password: password.to_owned(),
        };
        stores.start_redis();
        stores.start_postgres();
        stores
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of the database, which is its own authority.
    pub fn authority(&self) -> PathBuf {
        self.path("server.crt")
    }

    fn start_redis(&self) {
        let mut server = need("redis-server");
        server.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "yes"]);
        server.args(["--port", &self.cache.to_string()]).arg("--dir").arg(self.folder.path());
        output(&mut server);
    }

    fn start_postgres(&self) {
        let (key, certificate) = (self.path("server.key"), self.authority());
        let mut openssl = need("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        output(openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
        let password = self.path("password");
        writeln!(fs::File::create(&password).expect("a file"), "{}", self.password)
            .expect("a line");
        if is_root() {
            output(Command::new("chown").args(["-R", "nobody"]).arg(self.folder.path()));
        }
        let data = self.path("data");
        let mut init = self.as_nobody("initdb");
        init.arg("-D").arg(&data).args(["-U", "app", "--auth=scram-sha-256", "--no-sync"]);
        output(init.arg("--pwfile").arg(&password));
        fs::remove_file(password).expect("the password's file");
        let settings = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c ssl=on \
             -c ssl_cert_file={} -c ssl_key_file={}",
            self.database,
            certificate.display(),
            key.display()
        );
        // In the clear, it takes nobody: as RDS.
        let access = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), access).expect("its rules");
        let mut start = self.as_nobody("pg_ctl");
        start
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(self.path("log"))
            .args(["-w", "-o", &settings, "start"]);
        // It would hold this process's pipes open.
        let started = start.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("pg_ctl");
        assert!(started.success(), "{}", fs::read_to_string(self.path("log")).unwrap_or_default());
        self.sql_on("postgres", "CREATE DATABASE user_db");
    }

    /// PostgreSQL refuses to run as root.
    fn as_nobody(&self, program: &str) -> Command {
        let program = need(program).get_program().to_owned();
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "nobody", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    pub fn sql(&self, statement: &str) -> String {
        self.sql_on("user_db", statement)
    }

    fn sql_on(&self, database: &str, statement: &str) -> String {
        let mut psql = need("psql");
        psql.args(["-h", "localhost", "-U", "app", "-At", "-p", &self.database.to_string()]);
        psql.args(["-d", database, "-c", statement]).env("PGPASSWORD", &self.password);
        output(psql.env("PGSSLMODE", "require"))
    }

    pub fn redis(&self, command: &[&str]) -> String {
        output(need("redis-cli").args(["-p", &self.cache.to_string()]).args(command))
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        // Where a program is missing, the test has failed for that, and nothing runs.
        if ["redis-cli", "pg_ctl"].into_iter().any(|program| find(program).is_none()) {
            return;
        }
        let _ = need("redis-cli").args(["-p", &self.cache.to_string(), "SHUTDOWN"]).output();
        let data: &Path = &self.path("data");
        let mut stop = self.as_nobody("pg_ctl");
        let _ = stop.arg("-D").arg(data).args(["-m", "immediate", "stop"]).output();
    }
}
