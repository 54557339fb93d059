//! One script, played to whoever answered: what they hear and press until the platform asks again, somebody hangs
//! up, or the call goes on without it.
//!
//! Pure. Times are milliseconds since the call was answered. While a menu is asked, a key that is offered leads on
//! at once; another key, too few digits and silence let the menu be asked again while repeats are left, and are
//! then its result: `invalidinput` after a wrong key, `timeout` after nothing. Whoever hangs up in a menu makes
//! the result `hangup`. Too few digits are a `sequence` all the same once nobody types any more.

use super::people::{Deed, People, Person, Prompt};
use super::script::{Action, Dial, Menu, RunMenu, Script, Sound, Target};

/// Menus that lead to each other, and repeats of one: whoever goes round so often hangs up.
const MENUS_MAX: u32 = 100;

/// What was heard and pressed, and how it goes on.
#[derive(Debug)]
pub(super) struct Scene {
    /// Texts and when each began.
    pub(super) heard: Vec<(u64, String)>,
    pub(super) pressed: Vec<Pressed>,
    /// When this is over.
    pub(super) at_ms: u64,
    pub(super) then: Then,
}

/// A key, or the digits of a menu that asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pressed {
    /// The id of the menu.
    pub(super) menu: String,
    pub(super) keys: String,
    /// When the last of them was pressed.
    pub(super) at_ms: u64,
}

/// How it goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// A menu has a result.
    Result(MenuResult),
    /// Whoever answered has hung up; where that was in a menu, with its result.
    Left(Option<MenuResult>),
    /// The call has reached its longest time.
    Cut,
    /// The action `hangup`.
    HungUp,
    /// The call goes on without a script.
    Connected,
    /// It is connected to somebody else.
    Dial(Dial),
    /// It joins a conference.
    Conference(String),
    /// It is held until then at most.
    Held(u64),
    /// There was no action: what went on before goes on.
    Nothing,
}

/// What a menu resulted in, in the words of PIE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MenuResult {
    pub(super) kind: &'static str,
    /// The value of a `return`, the digits of a `sequence`.
    pub(super) value: Option<String>,
    pub(super) menu: String,
    /// Whether any key was pressed for it.
    pub(super) is_keyed: bool,
}

/// Plays a script from a moment of the call on; it is cut at `longest_ms`.
pub(super) fn play(
    script: Script,
    (people, person): (&People, &mut Person),
    from_ms: u64,
    longest_ms: u64,
) -> Scene {
    let mut stage = Stage {
        people,
        person,
        longest_ms,
        scene: Scene {
            heard: Vec::new(),
            pressed: Vec::new(),
            at_ms: from_ms,
            then: Then::Nothing,
        },
    };
    let ended = stage.act(script);
    let (Ok(then) | Err(then)) = ended;
    Scene {
        then,
        ..stage.scene
    }
}

struct Stage<'a> {
    people: &'a People,
    person: &'a mut Person,
    longest_ms: u64,
    scene: Scene,
}

/// What ended the playing before its end.
type Ended<T> = Result<T, Then>;

/// How a menu ended.
enum Outcome {
    Result(MenuResult),
    Goto(String),
}

impl Stage<'_> {
    fn act(&mut self, script: Script) -> Ended<Then> {
        for sound in script.said {
            self.say(&sound)?;
        }
        Ok(match script.then {
            None => Then::Nothing,
            Some(Action::HangUp) => Then::HungUp,
            Some(Action::Continue | Action::Other) => Then::Connected,
            Some(Action::Connect(dial)) => Then::Dial(dial),
            Some(Action::Conference(id)) => Then::Conference(id),
            Some(Action::Menu(run)) => self.run(&run)?,
            Some(Action::Park(said, longest_s)) => {
                let until_ms = self.scene.at_ms + 1000 * u64::from(longest_s);
                for sound in said {
                    self.say(&sound)?;
                }
                Then::Held(until_ms)
            }
        })
    }

    /// Lets time pass; the end of the call may come first.
    fn wait(&mut self, ms: u64, menu: Option<&Menu>) -> Ended<()> {
        let until_ms = self.scene.at_ms + ms;
        let stops_ms = self.person.machine.map(|machine| machine.stops_ms);
        if let Some(stops_ms) = stops_ms.filter(|stops| *stops < until_ms)
            && stops_ms < self.longest_ms
        {
            self.scene.at_ms = self.scene.at_ms.max(stops_ms);
            return Err(Then::Left(menu.map(gone)));
        }
        if until_ms > self.longest_ms {
            self.scene.at_ms = self.longest_ms;
            return Err(Then::Cut);
        }
        self.scene.at_ms = until_ms;
        Ok(())
    }

    fn hear(&mut self, sound: &Sound) {
        if !sound.text.is_empty() {
            self.scene
                .heard
                .push((self.scene.at_ms, sound.text.clone()));
        }
    }

    fn say(&mut self, sound: &Sound) -> Ended<()> {
        // What would begin when the call is over is not heard.
        self.wait(0, None)?;
        self.hear(sound);
        if let Some(after_ms) = self.person.leaves_within(self.people, sound.ms) {
            self.wait(after_ms, None)?;
            return Err(Then::Left(None));
        }
        self.wait(sound.ms, None)
    }

    fn run(&mut self, run: &RunMenu) -> Ended<Then> {
        let mut id = run.main.clone();
        for _ in 0..MENUS_MAX {
            let Some(menu) = run.menus.iter().find(|menu| menu.id == id) else {
                break;
            };
            match self.ask(menu, run.barge)? {
                Outcome::Result(result) => return Ok(Then::Result(result)),
                Outcome::Goto(next) => id = next,
            }
        }
        Err(Then::Left(None))
    }

    /// Asks a menu, and again while repeats are left.
    fn ask(&mut self, menu: &Menu, barge: bool) -> Ended<Outcome> {
        let offered: Vec<&str> = menu.options.iter().map(|(key, _)| key.as_str()).collect();
        let digits = if offered.is_empty() { menu.digits } else { 0 };
        let mut is_wrong = false;
        for time in 0..=menu.repeats.min(MENUS_MAX) {
            let sound = if time == 0 {
                &menu.prompt
            } else {
                &menu.repeat_prompt
            };
            let prompt = Prompt {
                ms: sound.ms,
                barge,
                timeout_ms: menu.timeout_ms,
                offered: &offered,
                digits,
            };
            self.wait(0, Some(menu))?;
            self.hear(sound);
            match self.person.at_prompt(self.people, prompt) {
                Deed::Leave(after_ms) => {
                    self.wait(after_ms, Some(menu))?;
                    return Err(Then::Left(Some(gone(menu))));
                }
                Deed::Nothing => {
                    self.wait(sound.ms + menu.timeout_ms, Some(menu))?;
                    is_wrong = false;
                }
                Deed::Press { keys, done_ms, .. } => {
                    self.wait(done_ms, Some(menu))?;
                    self.scene.pressed.push(Pressed {
                        menu: menu.id.clone(),
                        keys: keys.clone(),
                        at_ms: self.scene.at_ms,
                    });
                    if let Some(outcome) = self.pressed(menu, keys, digits)? {
                        return Ok(outcome);
                    }
                    is_wrong = true;
                }
            }
        }
        Ok(Outcome::Result(MenuResult {
            kind: if is_wrong { "invalidinput" } else { "timeout" },
            value: None,
            menu: menu.id.clone(),
            is_keyed: is_wrong,
        }))
    }

    /// What keys lead to; nothing where they are wrong.
    fn pressed(&mut self, menu: &Menu, keys: String, digits: u32) -> Ended<Option<Outcome>> {
        let result = |kind, value| {
            Outcome::Result(MenuResult {
                kind,
                value: Some(value),
                menu: menu.id.clone(),
                is_keyed: true,
            })
        };
        if digits > 0 {
            if keys.len() < usize::try_from(digits).unwrap_or(usize::MAX) {
                self.wait(menu.timeout_ms, Some(menu))?;
            }
            return Ok(Some(result("sequence", keys)));
        }
        let target = menu.options.iter().find(|(key, _)| *key == keys);
        Ok(target.map(|(_, target)| match target {
            Target::Return(value) => result("return", value.clone()),
            Target::Menu(id) => Outcome::Goto(id.clone()),
        }))
    }
}

fn gone(menu: &Menu) -> MenuResult {
    MenuResult {
        kind: "hangup",
        value: None,
        menu: menu.id.clone(),
        is_keyed: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::chance::{Purpose, draw};
    use super::super::people::People;
    use super::super::script::script;
    use super::*;
    use crate::domain::svaml::Event;

    /// People who always do the same.
    fn always(press: f64, press_wrong: f64, leave: f64) -> People {
        People {
            press,
            press_wrong,
            leave,
            quick: 0.0,
            machines: 0.0,
            ..People::default()
        }
    }

    fn menu() -> Value {
        json!({"action": {"name": "runMenu", "locale": "en-US", "menus": [
            {"id": "main", "mainPrompt": "#tts[First.]", "repeatPrompt": "#tts[Again.]", "repeats": 2,
             "timeoutMills": 4000, "options": [{"dtmf": "1", "action": "return(yes)"}]},
        ]}})
    }

    fn played(document: &Value, people: &People, longest_ms: u64) -> Scene {
        let mut person = Person::draw(people, draw(1, Purpose::Person, "+46701740605", 0));
        let script = script(document, Some(Event::Ace)).unwrap();
        play(script, (people, &mut person), 500, longest_ms)
    }

    fn texts(scene: &Scene) -> Vec<(u64, &str)> {
        let heard = scene.heard.iter();
        heard.map(|(at_ms, text)| (*at_ms, text.as_str())).collect()
    }

    fn result(kind: &'static str, is_keyed: bool) -> MenuResult {
        MenuResult {
            kind,
            value: None,
            menu: "main".to_owned(),
            is_keyed,
        }
    }

    #[test]
    fn silence_is_asked_again_and_then_a_timeout() {
        let scene = played(&menu(), &always(0.0, 0.0, 0.0), 60_000);
        // Six characters take 429 ms.
        let heard = [(500, "First."), (4_929, "Again."), (9_358, "Again.")];
        assert_eq!(texts(&scene), heard);
        assert_eq!(scene.at_ms, 13_787);
        assert_eq!(scene.then, Then::Result(result("timeout", false)));
        assert_eq!(scene.pressed, []);
    }

    #[test]
    fn a_wrong_key_is_asked_again_and_then_invalid() {
        let scene = played(&menu(), &always(0.0, 1.0, 0.0), 60_000);
        assert_eq!(scene.heard.len(), 3);
        assert_eq!(scene.then, Then::Result(result("invalidinput", true)));
        let pressed: Vec<_> = scene.pressed.iter().map(|p| p.keys.as_str()).collect();
        assert!(pressed.len() == 3 && !pressed.contains(&"1"), "{pressed:?}");
    }

    #[test]
    fn an_offered_key_leads_on_at_once() {
        let scene = played(&menu(), &always(1.0, 0.0, 0.0), 60_000);
        assert_eq!(texts(&scene), [(500, "First.")]);
        let yes = MenuResult {
            value: Some("yes".to_owned()),
            ..result("return", true)
        };
        assert_eq!(scene.then, Then::Result(yes));
        assert_eq!(scene.pressed[0].at_ms, scene.at_ms);
    }

    #[test]
    fn whoever_leaves_in_a_menu_makes_it_a_hangup() {
        let scene = played(&menu(), &always(0.0, 0.0, 1.0), 60_000);
        assert_eq!(scene.then, Then::Left(Some(result("hangup", false))));
    }

    #[test]
    fn a_call_is_cut_at_its_longest() {
        let scene = played(&menu(), &always(0.0, 0.0, 0.0), 5_000);
        assert_eq!((scene.at_ms, scene.then), (5_000, Then::Cut));
        assert_eq!(scene.heard.len(), 2);
    }

    #[test]
    fn menus_that_lead_round_and_round_end() {
        let round = json!({"action": {"name": "runMenu", "menus": [
            {"id": "main", "mainPrompt": "a", "options": [{"dtmf": "1", "action": "menu(main)"}]},
        ]}});
        let scene = played(&round, &always(1.0, 0.0, 0.0), u64::MAX / 2);
        assert_eq!(scene.then, Then::Left(None));
        assert_eq!(scene.pressed.len(), 100);
    }

    #[test]
    fn a_machine_listens_until_it_stops() {
        let people = People {
            machines: 1.0,
            ..People::default()
        };
        let mut person = Person::draw(&people, draw(1, Purpose::Person, "+46", 0));
        let stops_ms = person.machine.unwrap().stops_ms;
        let long = json!({"action": {"name": "runMenu", "locale": "en-US", "menus": [
            {"id": "main", "mainPrompt": "#tts[A]", "repeats": 1000, "options": []},
        ]}});
        let script = script(&long, Some(Event::Ace)).unwrap();
        let scene = play(script, (&people, &mut person), 0, 14_400_000);
        assert_eq!(scene.at_ms, stops_ms);
        assert_eq!(scene.then, Then::Left(Some(result("hangup", false))));
    }
}
