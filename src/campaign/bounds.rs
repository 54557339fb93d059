//! Bounds how much one rendering may handle in all, whatever its template says and whatever count stands in
//! a cell: the values that it makes are weighed.
//!
//! The engine's fuel counts instructions, and one instruction may double a text or repeat it a million
//! times. So operators are calls of functions of ours ([`hook`]), and filters are wrapped: each looks at
//! what it is given and what it made, before and after the engine's own does the work.

use std::sync::LazyLock;

use minijinja::machinery::Instruction;
use minijinja::value::{Rest, Tuple, ValueKind, ValueOrKwargs};
use minijinja::{
    Environment, Error, ErrorKind, Expression, State, Value, context, filters, functions,
};

/// Most bytes that one rendering may handle: every value that it makes, and everything that it writes. It is
/// about a thousand times what a call's text needs.
pub(super) const WORK_BYTES_MAX: usize = 512 * 1024;
/// Deepest nesting of lists and maps; comparing and printing them recurses.
const DEPTH_MAX: usize = 16;
/// What every value counts for, beside its own bytes.
const SCALAR_BYTES: usize = 16;

/// Filters of the engine that no new campaign may use: what they make can be far larger than what they are
/// given.
const FILTERS_WITHDRAWN: [&str; 4] = ["batch", "indent", "pprint", "slice"];
/// Functions that no new campaign may use: a namespace exists to be grown in a loop.
const FUNCTIONS_WITHDRAWN: [&str; 1] = ["namespace"];

/// What a rendering has handled so far.
#[derive(Debug, Default)]
struct Work {
    bytes: usize,
}

fn too_much() -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("makes more than {WORK_BYTES_MAX} bytes on its way to a text"),
    )
}

/// Counts what is handled; an error once it is too much.
pub(super) fn charge(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let work = state.get_or_insert_extension(Work::default());
    work.bytes = work.bytes.saturating_add(bytes);
    if work.bytes > WORK_BYTES_MAX {
        return Err(too_much());
    }
    Ok(())
}

/// The bytes of a value, with all that is in it; an error beyond what a rendering may handle.
pub(super) fn weigh(value: &Value) -> Result<usize, Error> {
    let mut left = WORK_BYTES_MAX;
    weigh_within(value, &mut left, 0)?;
    Ok(WORK_BYTES_MAX - left)
}

fn weigh_within(value: &Value, left: &mut usize, depth: usize) -> Result<(), Error> {
    let own = value
        .as_str()
        .map(str::len)
        .or_else(|| value.as_bytes().map(<[u8]>::len));
    let bytes = own.unwrap_or(0).saturating_add(SCALAR_BYTES);
    *left = left.checked_sub(bytes).ok_or_else(too_much)?;
    let kind = value.kind();
    if !matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return Ok(());
    }
    if depth == DEPTH_MAX {
        let message = format!("nests lists more than {DEPTH_MAX} deep");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    for item in value.try_iter()? {
        weigh_within(&item, left, depth + 1)?;
        if kind == ValueKind::Map {
            weigh_within(&value.get_item(&item)?, left, depth + 1)?;
        }
    }
    Ok(())
}

/// Weighs and counts the arguments of an operator or a filter before it runs.
fn take(state: &mut State<'_, '_>, values: &[Value]) -> Result<(), Error> {
    values
        .iter()
        .try_for_each(|value| charge(state, weigh(value)?))
}

/// Weighs and counts a result. A lazy iterable is made whole here: otherwise each use would make it again,
/// uncounted.
fn give(state: &mut State<'_, '_>, made: Value) -> Result<Value, Error> {
    charge(state, weigh(&made)?)?;
    if made.kind() == ValueKind::Iterable {
        return Ok(made.try_iter()?.collect());
    }
    Ok(made)
}

/// An operator: the name of the function that stands in its place, which no template can spell since it
/// begins with a control character, and the expression that carries it out.
struct Operator {
    name: &'static str,
    code: &'static str,
}

const OPERATORS: [Operator; 11] = [
    Operator {
        name: "\u{1}~",
        code: "a ~ b",
    },
    Operator {
        name: "\u{1}+",
        code: "a + b",
    },
    Operator {
        name: "\u{1}*",
        code: "a * b",
    },
    Operator {
        name: "\u{1}==",
        code: "a == b",
    },
    Operator {
        name: "\u{1}!=",
        code: "a != b",
    },
    Operator {
        name: "\u{1}>",
        code: "a > b",
    },
    Operator {
        name: "\u{1}>=",
        code: "a >= b",
    },
    Operator {
        name: "\u{1}<",
        code: "a < b",
    },
    Operator {
        name: "\u{1}<=",
        code: "a <= b",
    },
    Operator {
        name: "\u{1}in",
        code: "a in b",
    },
    Operator {
        name: "\u{1}[:]",
        code: "a[b:c:d]",
    },
];
const LIST: &str = "\u{1}[]";
const TUPLE: &str = "\u{1}()";
const MAP: &str = "\u{1}{}";

/// A bare engine without bounds. It evaluates the expressions of the operators.
static PLAIN: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::empty();
    env.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    env
});
static EXPRESSIONS: LazyLock<Vec<Option<Expression<'static, 'static>>>> = LazyLock::new(|| {
    let compiled = |operator: &Operator| PLAIN.compile_expression(operator.code).ok();
    OPERATORS.iter().map(compiled).collect()
});

/// Puts a call of ours in the place of an instruction. The call takes from the stack what the instruction
/// took and leaves what it left, so the code around it stays as it is.
pub(super) fn hook(instruction: &mut Instruction<'_>) {
    let of_many = |count: &Option<usize>| match count {
        None => Some(None),
        Some(count) => u16::try_from(*count).ok().map(Some),
    };
    let operator = |at: usize, count| Some((OPERATORS[at].name, Some(count)));
    let call = match &*instruction {
        Instruction::StringConcat => operator(0, 2),
        Instruction::Add => operator(1, 2),
        Instruction::Mul => operator(2, 2),
        Instruction::Eq => operator(3, 2),
        Instruction::Ne => operator(4, 2),
        Instruction::Gt => operator(5, 2),
        Instruction::Gte => operator(6, 2),
        Instruction::Lt => operator(7, 2),
        Instruction::Lte => operator(8, 2),
        Instruction::In => operator(9, 2),
        Instruction::Slice => operator(10, 4),
        Instruction::BuildList(count) => of_many(count).map(|count| (LIST, count)),
        Instruction::BuildTuple(count) => of_many(count).map(|count| (TUPLE, count)),
        Instruction::BuildMap(pairs) => {
            of_many(&Some(pairs.saturating_mul(2))).map(|count| (MAP, count))
        }
        _ => None,
    };
    if let Some((name, count)) = call {
        *instruction = Instruction::CallFunction(name, count);
    }
}

/// Gives an environment its bounded operators, filters and functions.
pub(super) fn install(env: &mut Environment<'static>) {
    for (at, Operator { name, .. }) in OPERATORS.iter().enumerate() {
        env.add_function(
            *name,
            move |state: &mut State<'_, '_>, args: Rest<Value>| operate(state, at, &args),
        );
    }
    env.add_function(LIST, |state: &mut State<'_, '_>, args: Rest<Value>| {
        give(state, Value::from(args.0))
    });
    env.add_function(TUPLE, |state: &mut State<'_, '_>, args: Rest<Value>| {
        give(state, Value::from(Tuple::from(args.0)))
    });
    env.add_function(MAP, |state: &mut State<'_, '_>, args: Rest<Value>| {
        let pairs = args.chunks_exact(2);
        let pairs = pairs.map(|pair| (pair[0].clone(), pair[1].clone()));
        give(state, Value::from_pairs(pairs))
    });
    for (name, filter) in known_filters() {
        env.add_filter(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                let args = args.into_values();
                take(state, &args)?;
                charge(state, asked_of_filter(name, &args))?;
                let made = filter.call(state, &args)?;
                give(state, made)
            },
        );
    }
    let range = Value::from_function(functions::range);
    env.add_function(
        "range",
        move |state: &mut State<'_, '_>, args: Rest<Value>| {
            let made = range.call(state, &args)?;
            charge(state, made.len().unwrap_or(0))?;
            Ok(made)
        },
    );
    let dict = Value::from_function(functions::dict);
    env.add_function(
        "dict",
        move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            take(state, &args)?;
            let made = dict.call(state, &args)?;
            give(state, made)
        },
    );
    env.remove_global("debug");
}

/// Carries out the operator at this place of [`OPERATORS`].
fn operate(state: &mut State<'_, '_>, at: usize, args: &[Value]) -> Result<Value, Error> {
    take(state, args)?;
    if let ("\u{1}*", [a, b]) = (OPERATORS[at].name, args) {
        charge(state, repeated(a, b)?)?;
    }
    let nothing = Value::UNDEFINED;
    let arg = |nth: usize| args.get(nth).unwrap_or(&nothing);
    if OPERATORS[at].name == "\u{1}[:]" {
        backwards_only_whole(arg(1), arg(2), arg(3))?;
    }
    let expression = EXPRESSIONS[at].as_ref().ok_or_else(too_much)?;
    let made = expression.eval(context! { a => arg(0), b => arg(1), c => arg(2), d => arg(3) })?;
    give(state, made)
}

/// Refuses a backward slice with a beginning or an end: the engine's arithmetic for it is unsound.
fn backwards_only_whole(start: &Value, stop: &Value, step: &Value) -> Result<(), Error> {
    let backwards = step.as_i64().is_some_and(|step| step < 0);
    let whole = start.is_none() && stop.is_none() && step.as_i64().is_some_and(|step| step > -1000);
    if backwards && !whole {
        let message = "a slice that goes backwards takes no beginning and no end";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(())
}

/// The bytes that `a * b` makes, where one of them is repeated.
pub(super) fn repeated(a: &Value, b: &Value) -> Result<usize, Error> {
    let repeats = |what: &Value, times: &Value| -> Result<usize, Error> {
        let long =
            what.as_str().is_some() || matches!(what.kind(), ValueKind::Seq | ValueKind::Iterable);
        match times.as_usize() {
            Some(times) if long => Ok(weigh(what)?.saturating_mul(times)),
            _ => Ok(0),
        }
    };
    Ok(repeats(a, b)?.max(repeats(b, a)?))
}

/// The bytes that a filter's counts and widths ask for, beyond what it is given.
fn asked_of_filter(name: &str, args: &[Value]) -> usize {
    let text = |nth: usize| args.get(nth).and_then(Value::as_str).unwrap_or_default();
    let count = |nth: usize| args.get(nth).and_then(Value::as_usize).unwrap_or(0);
    let items = || args.first().and_then(Value::len).unwrap_or(0);
    // Counts may be given by name as well.
    let named = |key: &str| {
        let given = args.last().and_then(|last| last.get_attr(key).ok());
        given.and_then(|given| given.as_usize().or_else(|| given.as_str().map(str::len)))
    };
    match name {
        "replace" => text(0)
            .matches(text(1))
            .count()
            .saturating_mul(text(2).len()),
        "indent" => {
            let width = count(1).max(named("width").unwrap_or(0));
            (text(0).lines().count() + 1).saturating_mul(width)
        }
        "join" => items().saturating_mul(text(1).len().max(named("d").unwrap_or(0))),
        "batch" | "slice" => {
            let parts = count(1).max(named("count").unwrap_or(0));
            parts.saturating_mul(SCALAR_BYTES)
        }
        "format" => {
            // Every number in the pattern may be a width, and so may every number that is given.
            let written = text(0).split(|c: char| !c.is_ascii_digit());
            let widths = written.map(|digits| match digits {
                "" => 0,
                digits => digits.parse().unwrap_or(usize::MAX),
            });
            let given = args.iter().filter(|_| text(0).contains('*'));
            let given = given.map(|arg| {
                let size = arg.as_i64().map_or(0, i64::unsigned_abs);
                usize::try_from(size).unwrap_or(usize::MAX)
            });
            widths.chain(given).fold(0, usize::saturating_add)
        }
        _ => 0,
    }
}

/// The filters that a new campaign may use.
pub(super) fn filters() -> impl Iterator<Item = &'static str> {
    let names = known_filters().into_iter().map(|(name, _)| name);
    names.filter(|name| !FILTERS_WITHDRAWN.contains(name))
}

/// Whether only campaigns of runs that were begun by earlier versions may call a function.
pub(super) fn is_withdrawn_function(name: &str) -> bool {
    FUNCTIONS_WITHDRAWN.contains(&name)
}

fn known_filters() -> [(&'static str, Value); 48] {
    use filters as f;
    macro_rules! named {
        ($($name:literal => $filter:expr),* $(,)?) => {
            [$(($name, Value::from_function($filter))),*]
        };
    }
    named! {
        "abs" => f::abs, "attr" => f::attr, "batch" => f::batch, "bool" => f::bool,
        "capitalize" => f::capitalize, "chain" => f::chain, "count" => f::length, "d" => f::default,
        "default" => f::default, "dictsort" => f::dictsort, "e" => f::escape, "escape" => f::escape,
        "first" => f::first, "float" => f::float, "format" => f::format, "groupby" => f::groupby,
        "indent" => f::indent, "int" => f::int, "items" => f::items, "join" => f::join,
        "last" => f::last, "length" => f::length, "lines" => f::lines, "list" => f::list,
        "lower" => f::lower, "map" => f::map, "max" => f::max, "min" => f::min,
        "pprint" => f::pprint, "reject" => f::reject, "rejectattr" => f::rejectattr,
        "replace" => f::replace, "reverse" => f::reverse, "round" => f::round, "safe" => f::safe,
        "select" => f::select, "selectattr" => f::selectattr, "slice" => f::slice,
        "sort" => f::sort, "split" => f::split, "string" => f::string, "sum" => f::sum,
        "title" => f::title, "tojson" => f::tojson, "trim" => f::trim, "unique" => f::unique,
        "upper" => f::upper, "zip" => f::zip,
    }
}
