//! The figures that README gives, measured anew: `cargo bench --bench figures` for all, and with
//! `-- speed` behind it for one.
//!
//! The release binary runs real campaigns against `callout simulate`, a process of its own, on
//! loopback. Everything is bounded and everything that is started is stopped by its process id.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on should say where"
)]
#![expect(clippy::print_stdout, reason = "figures are its output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::fmt::Write as _;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callout::store::{self, Access};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

const CALLOUT: &str = env!("CARGO_BIN_EXE_callout");
/// Where people of the lists are.
const ZONES: [&str; 12] = [
    "Europe/Stockholm",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Europe/London",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Asia/Kolkata",
    "America/Sao_Paulo",
];
const SECRET: &str = "cmVoZWFyc2FsLXNlY3JldA==";

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let all: [(&str, fn()); 10] = [
        ("speed", speed),
        ("memory", memory),
        ("import", import),
        ("reads", reads),
        ("resume", resume),
        ("pacing", pacing),
        ("polls", polls),
        ("suppression", suppression),
        ("virtual", virtual_time),
        ("windows", windows),
    ];
    for (name, figure) in all {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            figure();
        }
    }
}

/// Calls a second from start to CSV, without a pacing limit, and CPU per thousand calls.
fn speed() {
    for rows in [10_000, 100_000] {
        let world = World::new(rows, "calls_per_second = 1000000");
        let platform = Platform::start(&["--time-scale", "0"]);
        let used = world.run(
            &platform,
            &["run", "c.toml", "--yes", "--output", "out.csv"],
        );
        let lines = std::fs::read_to_string(world.path("out.csv"))
            .unwrap()
            .lines()
            .count();
        assert_eq!(lines, rows + 1, "every row has its line");
        println!(
            "speed    {rows:>9} recipients: {:>6.0} calls/s from start to CSV, CPU {:.3} s per 1,000",
            rows as f64 / used.wall.as_secs_f64(),
            used.cpu_s / rows as f64 * 1000.0
        );
    }
}

/// Peak memory of a whole run.
fn memory() {
    for rows in [10_000, 1_000_000] {
        let world = World::new(rows, "calls_per_second = 1000000");
        let platform = Platform::start(&["--time-scale", "0"]);
        let used = world.run(
            &platform,
            &["run", "c.toml", "--yes", "--output", "out.csv"],
        );
        println!(
            "memory   {rows:>9} recipients: {:.0} MB at most, {:.0} s",
            used.peak_mb(),
            used.wall.as_secs_f64()
        );
    }
}

/// A list read, checked, deduplicated and imported; nobody is dialled, since the platform is away.
fn import() {
    let rows = 1_000_000;
    let world = World::new(rows, "calls_per_second = 1");
    let used = world.run(&Platform::nowhere(), &["check", "c.toml"]);
    println!(
        "check    {rows:>9} rows: {:.1} s, {:.0} MB",
        used.wall.as_secs_f64(),
        used.peak_mb()
    );
    let started = Instant::now();
    let mut child = world.spawn(&Platform::nowhere(), &["run", "c.toml", "--yes"]);
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let line = line_with(&mut err, "rows,");
    println!(
        "import   {rows:>9} rows: {:.1} s   ({})",
        started.elapsed().as_secs_f64(),
        line.trim()
    );
    kill(&mut child);
}

/// What people ask of a run of a million that is over, with two million attempts: `million.sql` leaves what
/// an engine would have.
fn reads() {
    let rows = 1_000_000;
    let world = World::new(rows, "calls_per_second = 1");
    let mut child = world.spawn(&Platform::nowhere(), &["run", "c.toml", "--yes"]);
    let mut err = BufReader::new(child.stderr.take().unwrap());
    line_with(&mut err, "rows,");
    kill(&mut child);
    execute(&world, include_str!("million.sql"));
    for args in [
        &["report"] as &[&str],
        &["status"],
        &["runs"],
        &["export", "--output", "out.csv"],
    ] {
        let used = world.run(&Platform::nowhere(), args);
        println!(
            "{:<8} {rows:>9} recipients, twice as many attempts: {:.2} s, {:.0} MB",
            args[0],
            used.wall.as_secs_f64(),
            used.peak_mb()
        );
    }
}

/// Carries out statements on a world's database, behind the program's back.
fn execute(world: &World, statements: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(world.path("callout.db"));
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(statements)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    });
}

/// From the start of `resume` to its first POST, after a kill, with a million recipients.
fn resume() {
    let rows = 1_000_000;
    let world = World::new(rows, "calls_per_second = 1000");
    let platform = Platform::start(&["--time-scale", "0"]);
    let mut child = world.spawn(&platform, &["run", "c.toml", "--yes"]);
    platform.wait_for_posts(500);
    kill(&mut child);
    let before = platform.posts();
    let started = Instant::now();
    let mut child = world.spawn(&platform, &["resume"]);
    platform.wait_for_posts(before + 1);
    println!(
        "resume   {rows:>9} recipients: first POST after {:.2} s, one second of it the pacer's",
        started.elapsed().as_secs_f64()
    );
    kill(&mut child);
}

/// A campaign of three days with windows, retries and a cap, in virtual time.
fn virtual_time() {
    let rows = 10_000;
    let world = World::new(rows, "calls_per_second = 1\nconcurrent_calls = 60");
    world.add(
        "[window]\nfrom = \"09:00\"\nuntil = \"12:00\"\n[retry]\nmax_attempts = 3\nbusy = \"10m\"\n\
         no_answer = [\"1h\", \"4h\"]\nfailed = \"30m\"\n[spend]\ncap = \"2000 EUR\"\nrate = \"0.0415 EUR\"\n",
    );
    let args = ["rehearse", "c.toml", "--virtual", "--ledger", "ledger.csv"];
    let used = world.run(&Platform::nowhere(), &args);
    let ledger = std::fs::read_to_string(world.path("ledger.csv")).unwrap();
    println!(
        "virtual  {rows:>9} recipients, {} calls over days: {:.1} s",
        ledger.lines().count() - 1,
        used.wall.as_secs_f64()
    );
}

/// A million dials at night while clocks change, in windows of seconds that close under a full queue;
/// each is judged by the clock on the wall where the recipient is.
fn windows() {
    // The evenings before clocks change in America, Europe and Oceania, both ways.
    let starts = [
        "2026-03-07T12:00:00Z",
        "2026-03-28T12:00:00Z",
        "2026-04-04T00:00:00Z",
        "2026-10-03T00:00:00Z",
        "2026-10-24T12:00:00Z",
        "2026-10-31T12:00:00Z",
    ];
    let (mut dials, mut outside, mut gaps) = (0, 0, 0);
    for start in starts {
        let world = World::new(170_000, "calls_per_second = 1000");
        world.add(
            "[window]\nfrom = \"01:59:50\"\nuntil = \"02:00:10\"\n\
             [[window.also]]\nfrom = \"03:00:00\"\nuntil = \"03:00:15\"\n",
        );
        let args = [
            "rehearse",
            "c.toml",
            "--virtual",
            "--ledger",
            "ledger.csv",
            "--at",
            start,
        ];
        world.run(&Platform::nowhere(), &args);
        let ledger = std::fs::File::open(world.path("ledger.csv")).unwrap();
        let mut ledger = csv::Reader::from_reader(ledger);
        let header = ledger.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|known| known == name).unwrap();
        let (at, to) = (column("accepted_at"), column("destination"));
        for row in ledger.records() {
            let row = row.unwrap();
            let nth: usize = row[to].strip_prefix("+4670").unwrap().parse().unwrap();
            let at: jiff::Timestamp = row[at].parse().unwrap();
            let clock = at.in_tz(ZONES[(nth - 1_000_000) % ZONES.len()]).unwrap();
            let minute = (clock.hour(), clock.minute());
            let inside = match minute {
                (1, 59) => clock.second() >= 50,
                (2, 0) => clock.second() < 10,
                (3, 0) => clock.second() < 15,
                _ => false,
            };
            dials += 1;
            outside += u64::from(!inside);
            gaps += u64::from(minute == (1, 59));
        }
        if let Some(kept) = std::env::var_os("CALLOUT_FIGURES_KEEP") {
            let name = format!("ledger-{}.csv", &start[..10]);
            std::fs::copy(world.path("ledger.csv"), PathBuf::from(kept).join(name)).unwrap();
        }
    }
    println!(
        "windows  {dials:>9} dials in {} zones on {} nights with changes of the clocks: {outside} \
         outside ({gaps} in the last seconds before two)",
        ZONES.len(),
        starts.len()
    );
}

/// The fullest rolling second and the mean, from the platform's own log of arrivals.
fn pacing() {
    for (rate, rows) in [(5, 60), (100, 2_000), (1_000, 15_000)] {
        let world = World::new(rows, &format!("calls_per_second = {rate}"));
        let platform = Platform::start(&["--time-scale", "0"]);
        world.run(&platform, &["run", "c.toml", "--yes"]);
        let arrivals = platform.arrivals();
        let span = (arrivals[arrivals.len() - 1] - arrivals[0]) as f64 / 1e6;
        println!(
            "pacing   {rate:>9} a second: at most {} in any second, mean {:.2} %",
            fullest_second(&arrivals),
            (arrivals.len() - 1) as f64 / span / f64::from(rate) * 100.0
        );
    }
}

/// GETs per call and how long after its end a call's result is known, for calls of 10 to 60 s.
fn polls() {
    let world = World::new(1_500, "calls_per_second = 25");
    let platform = Platform::start(&["--time-scale", "1", "--mix", "1,0,0,0", "--ring", "5-55"]);
    let used = world.run(&platform, &["run", "c.toml", "--yes"]);
    let (gets, finals, calls) = platform.gets();
    println!(
        "polls    {calls:>9} calls of 10 to 60 s: {:.2} GETs a call, {} after FINAL, {:.0} s in all",
        gets as f64 / calls as f64,
        finals - calls,
        used.wall.as_secs_f64()
    );
}

/// Five million numbers that must not be called: their import, what a run's memory grows by, and what
/// a look before each dial costs beside the rest of a call.
fn suppression() {
    let (numbers, rows) = (5_000_000_u64, 100_000);
    let world = World::new(rows, "calls_per_second = 1000000");
    let platform = Platform::start(&["--time-scale", "0"]);
    let run = ["run", "c.toml", "--yes"];
    let without = world.run(&platform, &run);
    let mut list = String::new();
    for nth in 0..numbers {
        // All different, in no order, all over a country of ten digits.
        let national = 2_000_000_000 + nth * 7_919_999 % 8_000_000_000;
        writeln!(list, "+1{national}").unwrap();
    }
    std::fs::write(world.path("dnc.txt"), list).unwrap();
    let add = world.run(&platform, &["suppress", "add", "+46701000000"]);
    let import = world.run(&platform, &["suppress", "import", "dnc.txt"]);
    println!(
        "suppress {numbers:>9} numbers: imported in {:.1} s (CPU {:.1} s), {:.0} MB more than one by hand",
        import.wall.as_secs_f64(),
        import.cpu_s,
        import.peak_mb() - add.peak_mb()
    );
    let with = world.run(&platform, &run);
    println!(
        "suppress {rows:>9} recipients: {:.0} MB with them, {:.0} MB without; CPU {:.1} and {:.1} s",
        with.peak_mb(),
        without.peak_mb(),
        with.cpu_s,
        without.cpu_s
    );
    let address = format!("sqlite:{}", world.path("callout.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let started = Instant::now();
    let lists = runtime.block_on(async {
        let store = store::open(&address, Access::Beside, None).await.unwrap();
        store.suppressions().await.unwrap()
    });
    let loaded = started.elapsed();
    let looks: Vec<String> = (0..1_000_000_u64)
        .map(|nth| format!("+1{}", 2_000_000_000 + nth * 6_151_003 % 8_000_000_000))
        .collect();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let started = Instant::now();
    let found = looks
        .iter()
        .filter(|to| lists.contains(to, now).is_some())
        .count();
    let look = started.elapsed().as_secs_f64() / looks.len() as f64;
    let call = without.cpu_s / rows as f64;
    println!(
        "suppress   a look: {:.2} us ({found} of {} found), {:.2} % of a call's CPU; read at the start in {} ms",
        look * 1e6,
        looks.len(),
        look / call * 100.0,
        loaded.as_millis()
    );
}

/// A folder with a campaign and its list.
struct World(PathBuf);

struct Used {
    wall: Duration,
    cpu_s: f64,
    peak_kb: u64,
}

impl Used {
    fn peak_mb(&self) -> f64 {
        self.peak_kb as f64 / 1024.0
    }
}

impl World {
    fn new(rows: usize, pacing: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("callout-figures-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let mut list = String::from("number,name,date,time,zone\n");
        for i in 0..rows {
            writeln!(
                list,
                "+4670{:07},Person {i},2026-12-01,09:{:02},{}",
                1_000_000 + i,
                i % 60,
                ZONES[i % ZONES.len()]
            )
            .unwrap();
        }
        std::fs::write(folder.join("c.csv"), list).unwrap();
        let text = "Hello {{ name }}. You have an appointment on {{ date }} at {{ time }}.";
        let campaign = format!(
            "name = \"c\"\n[recipients]\nfile = \"c.csv\"\n[callout.tts]\ncli = \"+46100000000\"\n\
             text = \"{text}\"\n[pacing]\n{pacing}\n"
        );
        std::fs::write(folder.join("c.toml"), campaign).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Adds tables to the campaign, whose recipients are where the list says.
    fn add(&self, tables: &str) {
        let campaign = std::fs::read_to_string(self.path("c.toml")).unwrap();
        let zoned = campaign.replace("[callout.tts]", "time_zone = \"zone\"\n[callout.tts]");
        std::fs::write(self.path("c.toml"), zoned + tables).unwrap();
    }

    fn spawn(&self, platform: &Platform, args: &[&str]) -> Child {
        Command::new(CALLOUT)
            .args(args)
            .current_dir(&self.0)
            .env("CALLOUT_DB", "callout.db")
            .env("SINCH_APPLICATION_KEY", "rehearsal")
            .env("SINCH_APPLICATION_SECRET", SECRET)
            .env("SINCH_CALLING_URL", &platform.url)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to the end and measures.
    fn run(&self, platform: &Platform, args: &[&str]) -> Used {
        let started = Instant::now();
        let mut child = self.spawn(platform, args);
        let pid = child.id();
        let mut peak_kb = 0;
        // A process that has ended keeps its times until it is waited for.
        let ticks = loop {
            peak_kb = peak_kb.max(peak(pid));
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            let fields: Vec<&str> = stat
                .rsplit(')')
                .next()
                .unwrap()
                .split_whitespace()
                .collect();
            if fields[0] == "Z" {
                break fields[11..13]
                    .iter()
                    .map(|t| t.parse::<u64>().unwrap())
                    .sum::<u64>();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let wall = started.elapsed();
        let status = child.wait().unwrap();
        assert!(status.success(), "{args:?} ended with {status}");
        Used {
            wall,
            cpu_s: ticks as f64 / 100.0,
            peak_kb,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .unwrap_or(0)
}

/// The simulated platform, a process of its own.
struct Platform {
    url: String,
    child: Option<Child>,
}

impl Platform {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(CALLOUT)
            .args(["simulate", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let line = line_with(&mut out, "listens on");
        let url = line.split_whitespace().last().unwrap().to_owned();
        Self {
            url,
            child: Some(child),
        }
    }

    /// An address where nobody answers.
    fn nowhere() -> Self {
        Self {
            url: "http://127.0.0.1:9".into(),
            child: None,
        }
    }

    fn fetch(&self, path: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self
            .url
            .strip_prefix("http://")
            .unwrap()
            .trim_end_matches('/');
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn posts(&self) -> usize {
        self.fetch("/simulator/posts").lines().count() - 1
    }

    fn wait_for_posts(&self, posts: usize) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while self.posts() < posts {
            assert!(Instant::now() < deadline, "nobody is dialled");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// When each POST arrived, in microseconds.
    fn arrivals(&self) -> Vec<u64> {
        let posts = self.fetch("/simulator/posts");
        let at = |line: &str| line.split(',').next().unwrap().parse().unwrap();
        let mut arrivals: Vec<u64> = posts.lines().skip(1).map(at).collect();
        arrivals.sort_unstable();
        arrivals
    }

    /// GETs, FINAL answers, calls.
    fn gets(&self) -> (u64, u64, u64) {
        let ledger = self.fetch("/simulator/ledger");
        let mut reader = csv::Reader::from_reader(ledger.as_bytes());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|h| h == name).unwrap();
        let (gets, finals) = (column("gets"), column("final_served"));
        reader.records().fold((0, 0, 0), |sum, row| {
            let row = row.unwrap();
            let n = |i: usize| row[i].parse::<u64>().unwrap();
            (sum.0 + n(gets), sum.1 + n(finals), sum.2 + 1)
        })
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            kill(child);
        }
    }
}

fn kill(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

fn line_with(reader: &mut impl std::io::BufRead, words: &str) -> String {
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        if line.contains(words) {
            return line;
        }
        line.clear();
    }
    panic!("the process ended before it said `{words}`");
}

fn fullest_second(arrivals: &[u64]) -> usize {
    let mut from = 0;
    let mut fullest = 0;
    for (i, at) in arrivals.iter().enumerate() {
        while arrivals[from] + 1_000_000 <= *at {
            from += 1;
        }
        fullest = fullest.max(i - from + 1);
    }
    fullest
}
