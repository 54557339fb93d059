//! What the tests that drive the binary share: a desk (a folder with campaigns, lists and a
//! database), a simulated platform in a process of its own, and the audit that compares the two.
//!
//! Everything started here is stopped by its own process id when its guard is dropped.

pub(crate) mod audit;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callout::clock::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

/// What `callout simulate` takes for its own, unless told otherwise.
pub(crate) const KEY: &str = "rehearsal";
pub(crate) const SECRET: &str = "cmVoZWFyc2FsLXNlY3JldA==";
/// Nothing that is waited for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// Commands started so far, each with files of its own for what it says.
static STARTED: AtomicUsize = AtomicUsize::new(0);
/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `condition` gives something, and fails when it never does.
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::start();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(clock.monotonic() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A CSV table, each row by column name.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let header = texts(reader.headers().unwrap());
        let rows = reader.records().map(|r| texts(&r.unwrap())).collect();
        Self { header, rows }
    }

    /// One cell of a row.
    pub(crate) fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        let at = self.header.iter().position(|name| name == column);
        &row[at.unwrap_or_else(|| panic!("no column {column} in {:?}", self.header))]
    }

    /// One column.
    pub(crate) fn column<'a>(&'a self, name: &str) -> Vec<&'a str> {
        self.rows.iter().map(|row| self.cell(row, name)).collect()
    }

    /// How often each word stands in a column.
    pub(crate) fn counts<'a>(&'a self, name: &str) -> HashMap<&'a str, usize> {
        let mut counts = HashMap::new();
        for word in self.column(name) {
            *counts.entry(word).or_default() += 1;
        }
        counts
    }
}

/// `callout simulate` as a process of its own.
#[derive(Debug)]
pub(crate) struct Platform {
    child: Child,
    pub(crate) url: String,
}

impl Platform {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", options)
    }

    /// Another platform in the place of this one, at the same address.
    pub(crate) fn replace(self, options: &[&str]) -> Self {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        drop(self);
        Self::start_at(&address, options)
    }

    fn start_at(address: &str, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_callout"))
            .args(["simulate", "--listen", address])
            .args(options)
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut first).unwrap();
        let url = first.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{first}");
        Self { child, url }
    }

    fn page(&self, path: &str) -> Vec<u8> {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        assert!(answer.starts_with(b"HTTP/1.0 200"), "{path}");
        answer.split_off(body + 4)
    }

    /// Every phone that rang.
    pub(crate) fn ledger(&self) -> Table {
        Table::read(&self.page("/simulator/ledger"))
    }

    /// Every POST that arrived.
    pub(crate) fn posts(&self) -> Table {
        Table::read(&self.page("/simulator/posts"))
    }

    /// Every other request that arrived, and where it is not as the documents say.
    pub(crate) fn requests(&self) -> Table {
        Table::read(&self.page("/simulator/requests"))
    }

    /// Every event that was told, or was lost on purpose.
    pub(crate) fn events(&self) -> Table {
        Table::read(&self.page("/simulator/events"))
    }

    /// What was heard and pressed in each call.
    pub(crate) fn played(&self) -> serde_json::Value {
        serde_json::from_slice(&self.page("/simulator/played")).unwrap()
    }

    /// How many POSTs arrived.
    pub(crate) fn posted(&self) -> usize {
        let page = self.page("/simulator/posts");
        page.split(|b| *b == b'\n').count() - 2
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a command that ended left.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Out {
    /// Asserts the exit code, and shows what was said where it is another.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A folder in which commands are run.
#[derive(Debug)]
pub(crate) struct Desk {
    dir: TempDir,
    env: Vec<(String, String)>,
}

impl Desk {
    /// An empty folder, and an environment without credentials that names the folder's database, so
    /// that a live run may make it unasked.
    pub(crate) fn empty() -> Self {
        let dir = TempDir::new().unwrap();
        let env = [("CALLOUT_DB", "sqlite:callout.db"), ("TZ", "UTC")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env = env.to_vec();
        Self { dir, env }
    }

    /// A folder whose environment points to a platform.
    pub(crate) fn at(platform: &Platform) -> Self {
        let mut desk = Self::empty();
        desk.set("SINCH_APPLICATION_KEY", KEY);
        desk.set("SINCH_APPLICATION_SECRET", SECRET);
        desk.set("SINCH_CALLING_URL", &platform.url);
        desk.set("SINCH_CONFIGURATION_URL", &platform.url);
        desk
    }

    /// Sets a variable for the commands that follow.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away from the commands that follow.
    pub(crate) fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn table(&self, name: &str) -> Table {
        Table::read(&self.read(name))
    }

    /// A text-to-speech campaign `c.toml` for the list `list.csv` (columns `name` and `phone`).
    pub(crate) fn tts(&self, list: &str, pacing: &str) {
        self.write("list.csv", list);
        self.write(
            "c.toml",
            &format!(
                "name = \"c\"\n\
                 [recipients]\nfile = \"list.csv\"\nnumber = \"phone\"\nregion = \"SE\"\n\
                 [callout.tts]\ncli = \"+46100000000\"\ntext = \"Hello {{{{ name }}}}.\"\n\
                 [pacing]\n{pacing}\n"
            ),
        );
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callout"));
        self.here(command.args(args));
        command
    }

    /// In this folder, with this environment, and with nothing to read.
    fn here<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Out {
        self.run_in(".", args)
    }

    /// Runs a command to its end in a folder of this one.
    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Out {
        let out = self
            .command(args)
            .current_dir(self.path(folder))
            .output()
            .unwrap();
        Out {
            code: out.status.code(),
            stdout: String::from_utf8(out.stdout).unwrap(),
            stderr: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Runs a command whose standard output goes to a device.
    pub(crate) fn run_into(&self, args: &[&str], device: &str) -> Out {
        let device = std::fs::OpenOptions::new().write(true).open(device);
        let out = self.command(args).stdout(device.unwrap()).output().unwrap();
        Out {
            code: out.status.code(),
            stdout: String::new(),
            stderr: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Runs a shell script in a mount namespace of its own: disks that it mounts are gone with it.
    pub(crate) fn run_with_disks(&self, script: &str) {
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let out = command
            .args(["sh", "-c", script])
            .current_dir(self.dir.path())
            .env("CALLOUT", env!("CARGO_BIN_EXE_callout"))
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "a small disk could not be made: {out:?}"
        );
    }

    /// Starts a command that goes on meanwhile.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_callout")).args(args))
    }

    /// Starts another program here.
    pub(crate) fn spawn(&self, command: &mut Command) -> Running {
        let nth = STARTED.fetch_add(1, Ordering::Relaxed);
        let stdout = self.path(&format!(".stdout-{nth}"));
        let stderr = self.path(&format!(".stderr-{nth}"));
        let child = self
            .here(command)
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// Starts a command at a terminal of its own.
    pub(crate) fn start_at_terminal(&self, args: &[&str]) -> (Running, Terminal) {
        let terminal = Terminal::open();
        let mut shell = Command::new("setsid");
        shell
            .args(["--ctty", env!("CARGO_BIN_EXE_callout")])
            .args(args);
        self.here(&mut shell)
            .stdin(terminal.side())
            .stdout(terminal.side())
            .stderr(terminal.side());
        let running = Running {
            child: shell.spawn().unwrap(),
            stdout: PathBuf::from("/dev/null"),
            stderr: PathBuf::from("/dev/null"),
        };
        (running, terminal)
    }

    /// Starts a command behind a line of a shell that ends with `exec "$@"`.
    pub(crate) fn start_by(&self, line: &str, args: &[&str]) -> Running {
        let program = env!("CARGO_BIN_EXE_callout");
        let args = ["-c", line, "sh", program]
            .into_iter()
            .chain(args.iter().copied());
        self.spawn(Command::new("sh").args(args))
    }

    /// A table of the latest run, every byte as it is stored.
    pub(crate) fn export(&self, table: &str) -> Table {
        let out = self.run(&["export", "--raw", "--table", table]).ends(0);
        Table::read(out.stdout.as_bytes())
    }
}

/// A command that goes on; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// `kill -9`. False where the command had ended by itself.
    pub(crate) fn kill(mut self) -> bool {
        let going = self.going();
        drop(self.child.kill());
        self.child.wait().unwrap();
        going
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    pub(crate) fn going(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Lets it write no file beyond so many bytes.
    pub(crate) fn limit_files(&self, bytes: u64) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let limit = Rlimit {
            current: Some(bytes),
            maximum: None,
        };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Out {
        let status = wait_for("a command's end", || self.child.try_wait().unwrap());
        Out {
            code: status.code(),
            stdout: std::fs::read_to_string(&self.stdout).unwrap(),
            stderr: std::fs::read_to_string(&self.stderr).unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A terminal; closed when dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    ours: rustix::fd::OwnedFd,
}

impl Terminal {
    fn open() -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).unwrap();
        rustix::fs::fcntl_setfl(&ours, rustix::fs::OFlags::NONBLOCK).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        Self { ours }
    }

    /// Types a line.
    pub(crate) fn type_line(&self, line: &str) {
        let typed = format!("{line}\n");
        let count = rustix::io::write(&self.ours, typed.as_bytes()).unwrap();
        assert_eq!(count, typed.len());
    }

    /// Takes what was written to it so far: who writes to a full one has to wait.
    pub(crate) fn read(&self) -> String {
        let mut text = Vec::new();
        let mut some = [0; 4096];
        while let Ok(count) = rustix::io::read(&self.ours, &mut some) {
            text.extend_from_slice(&some[..count]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The side of the program.
    fn side(&self) -> File {
        let name = rustix::pty::ptsname(&self.ours, Vec::new()).unwrap();
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        rustix::fs::open(name, flags, rustix::fs::Mode::empty())
            .unwrap()
            .into()
    }
}

/// Another process's hand on the database: while it is held, nobody else can write.
pub(crate) struct WriteLock {
    _connection: SqliteConnection,
    _runtime: tokio::runtime::Runtime,
}

impl WriteLock {
    pub(crate) fn take(file: &Path) -> Self {
        Self::hold(file, &["begin immediate"])
    }

    /// Another process that reads: while it does, the log cannot be emptied.
    pub(crate) fn reading(file: &Path) -> Self {
        Self::hold(file, &["begin", "select count(*) from runs"])
    }

    fn hold(file: &Path, statements: &[&'static str]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connection = runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(file);
            let mut connection = options.connect().await.unwrap();
            for statement in statements {
                let statement = sqlx::query(*statement);
                statement.execute(&mut connection).await.unwrap();
            }
            connection
        });
        Self {
            _connection: connection,
            _runtime: runtime,
        }
    }
}

/// Carries out a statement on a database, behind the program's back.
pub(crate) fn execute(file: &Path, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    });
}

/// The n-th of many possible Swedish numbers, in E.164.
pub(crate) fn number(nth: usize) -> String {
    format!("+4670{:07}", 1_000_000 + nth)
}

/// A list of so many different people.
pub(crate) fn people(count: usize) -> String {
    let mut list = String::from("name,phone\n");
    for nth in 0..count {
        writeln!(list, "Person {nth},{}", number(nth)).unwrap();
    }
    list
}
