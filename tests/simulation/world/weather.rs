//! What the cloud is like just now: how builds and deletions go, what it refuses, and what is wrong with its answers.

use simplescalevm::model::Server;

/// A request to the cloud; probing the replicas is one more point at which the program can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    List,
    Network,
    LookUp,
    Probe,
    Addresses,
    Bind,
    Delete,
    Create,
}

impl Request {
    /// Whether it does something, so that it can be done and its reply lost.
    pub fn changes(self) -> bool {
        matches!(self, Request::Bind | Request::Delete | Request::Create)
    }
}

/// What is wrong with the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer in time, and nothing was done.
    Hangs,
    /// No answer in time, but the work was done.
    LosesReply,
    /// 503, and nothing was done.
    Fails,
    /// The connection is refused.
    Down,
    /// 429, and how many seconds to wait.
    TooMany(Option<u16>),
    /// 409.
    Conflict,
    /// 403.
    Forbidden,
    /// 200, and no JSON.
    Nonsense,
}

impl Fault {
    pub const ALL: [Fault; 9] = [
        Fault::Hangs,
        Fault::LosesReply,
        Fault::LosesReply,
        Fault::Fails,
        Fault::Down,
        Fault::TooMany(Some(300)),
        Fault::Conflict,
        Fault::Forbidden,
        Fault::Nonsense,
    ];
}

/// How builds end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    Fails,
    Sticks,
    /// The VM runs, but its service never starts.
    NeverAnswers,
    /// The service dies so many seconds after its first answer: each VM has its own time, from the first to the second.
    Dies(u16, u16),
    /// The service dies after so many answers.
    AnswersOnly(u8),
    /// The VM powers itself off so many seconds after its launch.
    PowersOff(u16),
}

/// The cloud's mood.
#[expect(clippy::struct_excessive_bools, reason = "independent moods, each there or not")]
#[derive(Clone, Debug)]
pub struct Weather {
    pub fate: Fate,
    /// Seconds a build takes.
    pub build: u64,
    /// Seconds from launch to the first answer.
    pub boot: u64,
    /// Seconds a deletion takes; `None`: it never ends.
    pub deletion: Option<u64>,
    /// Most VMs of the project.
    pub quota: Option<u64>,
    /// Most VMs that there is room for; a batch of which one finds none fails whole.
    pub room: Option<u64>,
    /// Whether no floating IP can be bound.
    pub no_router: bool,
    /// Seconds for which the list leaves out what was just made.
    pub late: u64,
    /// The list shows this until then.
    pub frozen: Option<(u64, Vec<Server>)>,
    /// What is wrong with the next so many requests of a kind.
    pub faults: Vec<(Request, Fault, u8)>,
    /// Seconds that asking the replicas takes.
    pub probes: u64,
    /// The program's own system lets it ask no more than one replica until then.
    pub crowded_until: u64,
    /// Whether the program's own network to the replicas is out.
    pub cut_off: bool,
    /// Whether the cloud tells nobody when a server was launched.
    pub hides_launches: bool,
    /// Whether its answers carry no date.
    pub no_date: bool,
    /// Whether every other answer carries a date an hour ahead.
    pub wrong_dates: bool,
    /// Whether the port of a server that goes stays, and its floating IP with it.
    pub ports_outlive: bool,
    /// Whether new servers lose their metadata.
    pub drops_marks: bool,
    /// Seconds for which the cloud looks for a host.
    pub schedules: u64,
    /// Most servers of a list while it does.
    pub page_limit: Option<u64>,
}

impl Weather {
    /// Nothing is wrong.
    pub fn fair() -> Self {
        Weather {
            fate: Fate::Good,
            build: 50,
            boot: 60,
            deletion: Some(30),
            quota: None,
            room: None,
            no_router: false,
            late: 0,
            frozen: None,
            faults: Vec::new(),
            probes: 1,
            crowded_until: 0,
            cut_off: false,
            hides_launches: false,
            no_date: false,
            wrong_dates: false,
            ports_outlive: false,
            drops_marks: false,
            schedules: 2,
            page_limit: None,
        }
    }

    /// What is wrong with this request, if anything.
    pub fn fault(&mut self, request: Request) -> Option<Fault> {
        let (_, fault, left) = self.faults.iter_mut().find(|(kind, ..)| *kind == request)?;
        let fault = *fault;
        *left = left.saturating_sub(1);
        self.faults.retain(|(.., left)| *left > 0);
        Some(fault)
    }
}
