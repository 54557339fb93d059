//! What is played in calls: the world hands each answer to the call that waits for it, and plans what follows.
//!
//! Where the documents leave it open, it is so here: an answer is one only with the status 200. A call whose ACE is
//! not answered goes on as if it were connected; one whose PIE is not, or whose answer is no valid SVAML, hears an
//! error, is told as a `callingerror` to the application, and ends `FAILED`. After `continue` a call goes on for as
//! long as it would have without a script. What `hangup` ends, and what is cut at its longest time, ends with
//! `MANAGERHANGUP`. ACE of spoken and conference callouts is not waited for: they have something to go on with, and
//! what is no valid SVAML changes nothing there.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::call::{Phase, started_s};
use super::callout::Plays;
use super::chance::{Purpose, draw};
use super::course::{ANSWER_WAIT_MS, Ace, Ask, Course, Detection, ERROR_MS, Item, Live, Step};
use super::event::EventKind;
use super::fate::CallResult;
use super::ledger::BadAnswers;
use super::people::Person;
use super::play::{self, MenuResult, Then};
use super::script::{self, Action, Script};
use super::tariff::Tariff;
use super::world::World;
use crate::domain::svaml::{CALL_S_MAX, Event};

/// How often menus that are answered in the callout itself lead to each other: whoever goes round so often hangs up.
const ROUNDS_MAX: u32 = 50;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    Late,
    Failed,
}

impl World {
    /// Answers to ACE and PIE so far that were no good.
    pub fn bad_answers(&self) -> BadAnswers {
        self.bad_answers
    }

    /// Begins the course of a call that was just placed and that somebody will answer: whoever asks to be asked is
    /// waited for, and an answer in the callout is played.
    pub(super) fn begin(&mut self, index: usize, plays: Plays) {
        let call = &self.calls[index];
        let longest_s = plays.longest_s.unwrap_or(CALL_S_MAX);
        let mut course = self.course_of(index, longest_s);
        let told = |kind| {
            call.told
                .as_ref()
                .is_some_and(|told| told.url(kind).is_some())
        };
        let asks = plays.ace.is_none() && told(EventKind::Ace);
        let Some(live) = &mut course.live else {
            return;
        };
        live.pie = plays.pie;
        if plays.leg_of.is_some() {
            live.person.machine = None;
        }
        course.leg_of = plays.leg_of;
        let Some(live) = &mut course.live else {
            return;
        };
        let detected = live.detection(plays.amd);
        let leaves_ms = live.person.detected_ms / 2;
        let is_gone = plays.amd == Some(false) && live.person.leaves_undetected;
        let at_ms = match plays.amd {
            Some(false) if is_gone => leaves_ms,
            Some(false) => live.person.detected_ms,
            _ => 0,
        };
        if asks {
            course.ace = Some(Ace {
                at_ms,
                amd: detected,
            });
            if let Some(live) = course.live.as_mut().filter(|_| !is_gone) {
                live.ask = Some(Ask {
                    kind: EventKind::Ace,
                    at_ms,
                    item: 0,
                    number: None,
                });
                course.until_ms = at_ms;
            }
        }
        self.calls[index].course = Some(Box::new(course));
        self.events
            .place(index, &mut self.calls[index], &self.options);
        if plays.amd == Some(true) {
            self.detect(index);
        }
        if is_gone {
            self.finish(index, leaves_ms, CallResult::Answered, "CALLEEHANGUP");
        } else if let Some(ace) = plays.ace {
            match script::script(&ace, Some(Event::Ace)) {
                Some(script) => self.play(index, script, at_ms),
                None => self.invalid(index, at_ms),
            }
        } else if !asks {
            self.connect(index, at_ms);
        }
    }

    /// Somebody who answers, and the course of their call.
    fn course_of(&self, index: usize, longest_s: u32) -> Course {
        let call = &self.calls[index];
        let rng = draw(self.options.seed, Purpose::Person, &call.endpoint, call.nth);
        let person = Person::draw(&self.options.people, rng);
        let answered = call.answered(self.options.time_scale);
        let alone = (call.fate.talk_s, call.fate.reason);
        Course::new(person, answered, 1000 * u64::from(longest_s), alone)
    }

    /// Plans what an asynchronous detection finds.
    fn detect(&mut self, index: usize) {
        let scale = self.options.time_scale;
        let Some(course) = &mut self.calls[index].course else {
            return;
        };
        let Some(live) = &mut course.live else {
            return;
        };
        let Some(found) = live.detection(Some(false)) else {
            return;
        };
        let (detected_ms, machine) = (live.person.detected_ms, live.person.machine);
        let at = course.moment(detected_ms, scale);
        if let Some(live) = &mut course.live {
            live.detection = Some(at);
        }
        let item = course.item(Item::Amd("amd", found));
        self.notify(index, item, at);
        if let Some(machine) = machine.filter(|machine| machine.beeps)
            && let Some(course) = &mut self.calls[index].course
        {
            let beep = Detection {
                status: "machine",
                reason: "beep",
                duration_s: machine.greeting_ms / 1000,
            };
            let item = course.item(Item::Amd("amd_beep", beep));
            let at = course.moment(machine.greeting_ms.max(detected_ms), scale);
            self.notify(index, item, at);
        }
    }

    fn notify(&mut self, index: usize, item: u32, at: Timestamp) {
        let call = (index, &self.calls[index]);
        self.events
            .tell(call, (EventKind::Notify, item), at, &self.options);
    }

    /// The answer to an event that its call waits for; whether any does.
    pub(super) fn heard(
        &mut self,
        (index, number): (usize, usize),
        (status, answer): (u16, &[u8]),
        took_ms: u64,
        now: Timestamp,
    ) -> bool {
        let Some(ask) = self.waits_for(index, number) else {
            return false;
        };
        let event = match ask.kind {
            EventKind::Ace => Event::Ace,
            _ => Event::Pie,
        };
        if let Some(course) = &mut self.calls[index].course {
            course.record.answers.push((ask.kind, took_ms));
        }
        if status != 200 {
            self.unanswered(index, Unanswered::Failed, now);
            return true;
        }
        self.go_on(index, (now, ask.at_ms));
        match script::answer(answer, event) {
            Some(script) => self.play(index, script, ask.at_ms),
            None => self.invalid(index, ask.at_ms),
        }
        true
    }

    /// What a call waits for, if it is the answer to this event.
    pub(super) fn waits_for(&self, index: usize, number: usize) -> Option<Ask> {
        let live = self.calls[index].course.as_ref()?.live.as_ref()?;
        live.ask.filter(|ask| ask.number == Some(number))
    }

    /// Writes down that what a call waits for has this place among the events sent; whether it waits for it.
    pub(super) fn asked(
        &mut self,
        index: usize,
        (kind, item): (EventKind, u32),
        number: usize,
    ) -> bool {
        let course = self.calls[index].course.as_mut();
        let ask = course.and_then(|course| course.live.as_mut()?.ask.as_mut());
        let Some(ask) =
            ask.filter(|ask| ask.number.is_none() && (ask.kind, ask.item) == (kind, item))
        else {
            return false;
        };
        ask.number = Some(number);
        true
    }

    /// The call's clock goes on from a moment at which it says so much.
    fn go_on(&mut self, index: usize, since: (Timestamp, u64)) {
        if let Some(course) = &mut self.calls[index].course {
            course.since = since;
            if let Some(live) = &mut course.live {
                live.ask = None;
                live.step = None;
                course.until_ms = live.longest_ms;
            }
        }
    }

    /// Nothing came that a call can go on with.
    pub(super) fn unanswered(&mut self, index: usize, why: Unanswered, now: Timestamp) {
        let course = self.calls[index].course.as_ref();
        let Some(ask) = course.and_then(|course| course.live.as_ref()?.ask) else {
            return;
        };
        let waited_ms = match why {
            Unanswered::Late => {
                self.bad_answers.late += 1;
                ANSWER_WAIT_MS
            }
            Unanswered::Failed => {
                self.bad_answers.failed += 1;
                0
            }
        };
        self.go_on(index, (now, ask.at_ms + waited_ms));
        if ask.kind == EventKind::Ace {
            self.connect(index, ask.at_ms + waited_ms);
        } else {
            let error = (50_000, "The callback was not answered");
            self.fail(index, ask.at_ms + waited_ms, "CALLBACKERROR", error);
        }
    }

    /// What a call was answered with is no valid SVAML.
    fn invalid(&mut self, index: usize, at_ms: u64) {
        self.bad_answers.invalid += 1;
        self.fail(
            index,
            at_ms,
            "INVALIDSVAMLACTION",
            (40_001, "Illegal SVAML"),
        );
    }

    /// An error is played, and the call ends.
    fn fail(
        &mut self,
        index: usize,
        at_ms: u64,
        reason: &'static str,
        (code, message): (u32, &'static str),
    ) {
        let scale = self.options.time_scale;
        let Some(course) = &mut self.calls[index].course else {
            return;
        };
        course.record.errors += 1;
        let item = course.item(Item::Error(code, message));
        let at = course.moment(at_ms, scale);
        self.notify(index, item, at);
        self.finish(index, at_ms + ERROR_MS, CallResult::Failed, reason);
    }

    /// Plays a script from what the call's clock says on, until something is waited for or the call's end is known.
    pub(super) fn play(&mut self, index: usize, script: Script, from_ms: u64) {
        let (mut script, mut from_ms) = (script, from_ms);
        for _ in 0..ROUNDS_MAX {
            let Some(course) = &mut self.calls[index].course else {
                return;
            };
            let Some(live) = &mut course.live else {
                return;
            };
            let hearer = (&self.options.people, &mut live.person);
            let scene = play::play(script, hearer, from_ms, live.longest_ms);
            course.record.heard.extend(scene.heard);
            course.record.pressed.extend(scene.pressed);
            course.until_ms = scene.at_ms;
            from_ms = scene.at_ms;
            let Then::Result(result) = scene.then else {
                self.then(index, scene.then, from_ms);
                return;
            };
            let Some(pie) = &live.pie else {
                self.ask_on(index, result, from_ms);
                return;
            };
            let Some(next) = script::script(pie, Some(Event::Pie)) else {
                self.invalid(index, from_ms);
                return;
            };
            script = next;
        }
        self.finish(index, from_ms, CallResult::Answered, "CALLEEHANGUP");
    }

    fn then(&mut self, index: usize, then: Then, at_ms: u64) {
        let mut finish = |reason| self.finish(index, at_ms, CallResult::Answered, reason);
        match then {
            Then::HungUp | Then::Cut => finish("MANAGERHANGUP"),
            Then::Left(None) => finish("CALLEEHANGUP"),
            Then::Left(Some(result)) => {
                if let Some(course) = &mut self.calls[index].course {
                    let item = course.item(Item::Menu(result));
                    let at = course.moment(at_ms, self.options.time_scale);
                    let call = (index, &self.calls[index]);
                    self.events
                        .tell(call, (EventKind::Pie, item), at, &self.options);
                }
                self.finish(index, at_ms, CallResult::Answered, "CALLEEHANGUP");
            }
            Then::Conference(id) => {
                self.conferences.join(id, index);
                self.connect(index, at_ms);
            }
            Then::Held(until_ms) => {
                self.connect_until(index, at_ms, until_ms);
            }
            Then::Dial(dial) => self.plan_step(index, Step::Dial(dial), at_ms),
            Then::Connected | Then::Nothing | Then::Result(_) => self.connect(index, at_ms),
        }
    }

    /// Asks what a menu's result leads to.
    fn ask_on(&mut self, index: usize, result: MenuResult, at_ms: u64) {
        let scale = self.options.time_scale;
        let call = &mut self.calls[index];
        let has_url = call
            .told
            .as_ref()
            .is_some_and(|told| told.url(EventKind::Pie).is_some());
        let Some(course) = &mut call.course else {
            return;
        };
        let item = course.item(Item::Menu(result));
        if !has_url {
            self.bad_answers.failed += 1;
            let error = (50_000, "There is no callback URL");
            self.fail(index, at_ms, "CALLBACKERROR", error);
            return;
        }
        if let Some(live) = &mut course.live {
            live.ask = Some(Ask {
                kind: EventKind::Pie,
                at_ms,
                item,
                number: None,
            });
        }
        let at = course.moment(at_ms, scale);
        let call = (index, &self.calls[index]);
        let comes = self
            .events
            .tell(call, (EventKind::Pie, item), at, &self.options);
        if !comes {
            self.plan_step(index, Step::GiveUp, at_ms + ANSWER_WAIT_MS);
        }
    }

    fn plan_step(&mut self, index: usize, step: Step, at_ms: u64) {
        if let Some(course) = &mut self.calls[index].course {
            let number = course.step(step);
            let at = course.moment(at_ms, self.options.time_scale);
            self.events.step(index, number, at);
        }
    }

    /// Does what the platform does by itself.
    pub(super) fn take_step(&mut self, index: usize, now: Timestamp) {
        let course = self.calls[index].course.as_mut();
        let step = course.and_then(|course| course.live.as_mut()?.step.take());
        match step {
            Some(Step::GiveUp) => self.unanswered(index, Unanswered::Late, now),
            Some(Step::Dial(dial)) => {
                let course = self.calls[index].course.as_ref();
                let at_ms = course.map_or(0, |course| course.until_ms);
                self.dial(index, &dial, (now, at_ms));
            }
            None => {}
        }
    }

    /// A call goes on without a script, for as long as it would have without one.
    fn connect(&mut self, index: usize, at_ms: u64) {
        self.connect_until(index, at_ms, u64::MAX);
    }

    fn connect_until(&mut self, index: usize, at_ms: u64, until_ms: u64) {
        let course = self.calls[index].course.as_mut();
        let Some(live) = course.and_then(|course| course.live.as_mut()) else {
            return;
        };
        let since_ms = *live.alone_since_ms.get_or_insert(at_ms);
        let talk_ms = (since_ms + 1000 * u64::from(live.alone.0)).max(at_ms);
        let (mut end_ms, mut reason) = match live.person.machine {
            Some(machine) => (machine.stops_ms.max(at_ms), "CALLEEHANGUP"),
            None => (talk_ms, live.alone.1),
        };
        let longest_ms = live.longest_ms.min(until_ms);
        if end_ms > longest_ms {
            (end_ms, reason) = (longest_ms, "MANAGERHANGUP");
        }
        self.finish(index, end_ms, CallResult::Answered, reason);
    }

    /// The end of a call is known: what it took, what it costs, and when it is told.
    pub(super) fn finish(
        &mut self,
        index: usize,
        end_ms: u64,
        result: CallResult,
        reason: &'static str,
    ) {
        let scale = self.options.time_scale;
        let call = &mut self.calls[index];
        let Some(course) = &mut call.course else {
            return;
        };
        let Some(live) = course.live.as_ref().filter(|_| course.end_ms.is_none()) else {
            return;
        };
        let (end_ms, detection) = (end_ms.min(live.longest_ms), live.detection);
        course.end_ms = Some(end_ms);
        course.until_ms = end_ms;
        call.fate.result = result;
        call.fate.reason = reason;
        call.fate.talk_s = started_s(end_ms);
        let within: Decimal = course.record.legs_within.iter().sum();
        let debit = Tariff::debit(call.rate, call.fate.talk_s) + within;
        self.spent += debit - call.debit;
        call.debit = debit;
        let end = course.moment(end_ms, scale);
        if detection.is_some_and(|detection| detection > end) {
            // Whoever it was has hung up before that was found out.
            let gone = Detection {
                status: "hangup",
                reason: "n/a",
                duration_s: end_ms / 1000,
            };
            let item = course.item(Item::Amd("amd", gone));
            self.notify(index, item, end);
        }
        self.events.end(index, &self.calls[index], &self.options);
        self.leg_is_over(index, end_ms);
    }

    /// Forgets what only a call needs that goes on.
    pub(super) fn forget(&mut self, index: usize, now: Timestamp) {
        let call = &mut self.calls[index];
        let is_over = call.phase(now, self.options.time_scale) == Phase::Over;
        if let Some(course) = call.course.as_mut().filter(|_| is_over) {
            course.live = None;
            course.record.heard.shrink_to_fit();
            course.record.pressed.shrink_to_fit();
        }
    }

    /// What an answer to the ACE of a spoken or a conference callout says: it is played in the place of what goes
    /// on, from now on.
    pub(super) fn replace(&mut self, index: usize, answer: &[u8], now: Timestamp) {
        let Some(script) = script::answer(answer, Event::Ace) else {
            return;
        };
        if script.said.is_empty() {
            match script.then {
                Some(Action::HangUp) => return self.hang_up(index, now),
                Some(Action::Continue) | None => return,
                Some(_) => {}
            }
        }
        self.play_now(index, script, now);
    }

    /// Plays what manages a call into it, at once; whether that was done. Without an action, or with `continue`, the
    /// call goes on afterwards as if it were connected: a menu that was broken off is not taken up again.
    pub(super) fn play_into(&mut self, index: usize, script: Script, now: Timestamp) -> bool {
        let call = &self.calls[index];
        let is_talking = matches!(call.phase(now, self.options.time_scale), Phase::Talking(_));
        let has_effect = match script.then {
            // Nothing is said before: the call is over now.
            Some(Action::HangUp) | None => !script.said.is_empty(),
            Some(Action::Continue) => !script.said.is_empty() || call.course.is_some(),
            Some(Action::Park(..)) => true,
            Some(Action::Menu(_) | Action::Connect(_) | Action::Conference(_) | Action::Other) => {
                false
            }
        };
        if is_talking && has_effect {
            self.play_now(index, script, now);
        }
        is_talking && has_effect
    }

    /// Plays a script into a call that somebody has answered, in the place of what goes on.
    fn play_now(&mut self, index: usize, script: Script, now: Timestamp) {
        let scale = self.options.time_scale;
        let Phase::Talking(_) = self.calls[index].phase(now, scale) else {
            return;
        };
        if self.calls[index].course.is_none() {
            let mut course = self.course_of(index, CALL_S_MAX);
            if let Some(live) = &mut course.live {
                live.alone_since_ms = Some(0);
                // Whoever answers a text is a person here.
                live.person.machine = None;
            }
            course.record.is_machine = false;
            self.calls[index].course = Some(Box::new(course));
        }
        if let Some(course) = &mut self.calls[index].course {
            let now_ms = course.break_off(now, scale);
            course.end_ms = None;
            self.hang_up_others(index, now);
            self.play(index, script, now_ms);
        }
    }
}

impl Live {
    /// What the detection tells with ACE: sync what it found, async that it goes on; nothing where it is off.
    fn detection(&self, is_async: Option<bool>) -> Option<Detection> {
        let person = &self.person;
        let (status, reason, ms) = match is_async? {
            true => ("inprogress", "n/a", 0),
            false if person.leaves_undetected => ("hangup", "n/a", person.detected_ms / 2),
            false if person.is_unsure => ("notsure", "initialsilence", person.detected_ms),
            false if person.machine.is_some() => ("machine", "longgreeting", person.detected_ms),
            false => ("human", "greeting", person.detected_ms),
        };
        Some(Detection {
            status,
            reason,
            duration_s: ms / 1000,
        })
    }
}
