//! A compiled template, bounded: what the engine runs is what it compiled, with every instruction that
//! makes values replaced by a call that weighs them (`bounds`).
//!
//! The engine works out constants as it compiles, so these are weighed before.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{
    CodeGenerator, Instruction, Instructions, eval, make_string_output, parse,
};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use super::bounds;

/// Instructions one rendering may take: hundreds of times what a call's text needs, and still
/// under a millisecond.
const FUEL: u64 = 20_000;
/// Bytes of the template's own words that one rendering may write: each instruction may write the
/// longest of them once more.
const OWN_WORDS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest constant that is worked out of others, in bytes.
const CONSTANT_BYTES_MAX: usize = 4096;

self_cell::self_cell!(
    struct Code {
        owner: Source,
        #[covariant]
        dependent: Instructions,
    }
);

struct Source {
    name: String,
    text: String,
}

/// A template, ready to be rendered with an [`environment`](super::template) of its fuel.
pub(super) struct Program(Code);

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Program")
            .field(&self.0.borrow_owner().text)
            .finish()
    }
}

/// A filter, test or function that a template uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used<'a> {
    Filter(&'a str),
    Function(&'a str),
}

impl Program {
    /// Compiles a template; `name` is what the formatter will see.
    pub(super) fn compile(
        name: String,
        text: String,
        syntax: &SyntaxConfig,
    ) -> Result<Self, Error> {
        let source = Source { name, text };
        Code::try_new(source, |source| {
            let tree = parse(&source.text, &source.name, syntax.clone())?;
            weigh_constants(&tree)?;
            let mut generator = CodeGenerator::new(&source.name, &source.text);
            generator.compile_stmt(&tree);
            let (mut code, _) = generator.finish();
            let mut at = 0;
            while let Some(instruction) = code.get_mut(at) {
                bounds::hook(instruction);
                at += 1;
            }
            Ok(code)
        })
        .map(Self)
    }

    fn instructions(&self) -> impl Iterator<Item = &Instruction<'_>> {
        let code = self.0.borrow_dependent();
        (0..).map_while(|at| code.get(at))
    }

    /// How much fuel a rendering may take.
    pub(super) fn fuel(&self) -> u64 {
        let words = self.instructions().map(|instruction| match instruction {
            Instruction::EmitRaw(words) => words.len() as u64,
            _ => 0,
        });
        FUEL.min(OWN_WORDS_BYTES_MAX / words.max().unwrap_or(0).max(1))
    }

    /// The filters and functions that it names.
    pub(super) fn uses(&self) -> impl Iterator<Item = Used<'_>> {
        self.instructions()
            .filter_map(|instruction| match instruction {
                Instruction::ApplyFilter(name, ..) => Some(Used::Filter(name)),
                Instruction::CallFunction(name, _) | Instruction::Lookup(name) => {
                    Some(Used::Function(name))
                }
                _ => None,
            })
    }

    /// The variables that it looks up and never sets. The engine's own list leaves out those of a slice.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        let set: BTreeSet<&str> = self
            .instructions()
            .filter_map(|instruction| match instruction {
                Instruction::StoreLocal(name) => Some(*name),
                _ => None,
            })
            .collect();
        let looked_up = self
            .instructions()
            .filter_map(|instruction| match instruction {
                Instruction::Lookup(name) => Some(*name),
                _ => None,
            });
        looked_up
            .filter(|name| !set.contains(name) && *name != "loop")
            .collect()
    }

    /// The text for these variables.
    pub(super) fn render(&self, env: &Environment<'static>, root: Value) -> Result<String, Error> {
        let mut text = String::new();
        let blocks = BTreeMap::new();
        let code = self.0.borrow_dependent();
        eval(
            env,
            code,
            root,
            &blocks,
            &mut make_string_output(&mut text),
            AutoEscape::None,
        )?;
        Ok(text)
    }
}

/// Refuses a template whose constants would make too much.
fn weigh_constants(tree: &Stmt<'_>) -> Result<(), Error> {
    let mut statements = vec![tree];
    let mut expressions = Vec::new();
    while let Some(statement) = statements.pop() {
        match statement {
            Stmt::Template(it) => statements.extend(&it.children),
            Stmt::EmitExpr(it) => expressions.push(&it.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(it) => {
                expressions.extend([&it.target, &it.iter]);
                expressions.extend(&it.filter_expr);
                statements.extend(it.body.iter().chain(&it.else_body));
            }
            Stmt::IfCond(it) => {
                expressions.push(&it.expr);
                statements.extend(it.true_body.iter().chain(&it.false_body));
            }
            Stmt::WithBlock(it) => {
                expressions.extend(
                    it.assignments
                        .iter()
                        .flat_map(|(name, value)| [name, value]),
                );
                statements.extend(&it.body);
            }
            Stmt::Set(it) => expressions.extend([&it.target, &it.expr]),
            Stmt::SetBlock(it) => {
                expressions.push(&it.target);
                expressions.extend(&it.filter);
                statements.extend(&it.body);
            }
            Stmt::AutoEscape(it) => {
                expressions.push(&it.enabled);
                statements.extend(&it.body);
            }
            Stmt::FilterBlock(it) => {
                expressions.push(&it.filter);
                statements.extend(&it.body);
            }
            Stmt::Do(it) => {
                expressions.push(&it.call.expr);
                expressions.extend(it.call.args.iter().map(argument));
            }
        }
    }
    expressions
        .into_iter()
        .try_for_each(|expression| constant(expression).map(drop))
}

fn argument<'e, 'a>(argument: &'e CallArg<'a>) -> &'e Expr<'a> {
    match argument {
        CallArg::Pos(it)
        | CallArg::Kwarg(_, it)
        | CallArg::PosSplat(it)
        | CallArg::KwargSplat(it) => it,
    }
}

/// The value of an expression that the engine would work out as it compiles; none of any other. What is
/// below it is looked at first, so that no step can make more than is allowed.
fn constant(expression: &Expr<'_>) -> Result<Option<Value>, Error> {
    let mut parts: Vec<&Expr<'_>> = Vec::new();
    match expression {
        Expr::Var(_) | Expr::Const(_) => {}
        Expr::Slice(it) => {
            parts.push(&it.expr);
            parts.extend([&it.start, &it.stop, &it.step].into_iter().flatten());
        }
        Expr::UnaryOp(it) => parts.push(&it.expr),
        Expr::BinOp(it) => {
            let (left, right) = (constant(&it.left)?, constant(&it.right)?);
            if let (Some(left), Some(right)) = (left, right) {
                weigh_operation(it.op, &left, &right)?;
            }
        }
        Expr::Compare(it) => {
            parts.push(&it.expr);
            parts.extend(it.ops.iter().map(|operand| &operand.expr));
        }
        Expr::IfExpr(it) => {
            parts.extend([&it.test_expr, &it.true_expr]);
            parts.extend(&it.false_expr);
        }
        Expr::Filter(it) => {
            parts.extend(&it.expr);
            parts.extend(it.args.iter().map(argument));
        }
        Expr::Test(it) => {
            parts.push(&it.expr);
            parts.extend(it.args.iter().map(argument));
        }
        Expr::GetAttr(it) => parts.push(&it.expr),
        Expr::GetItem(it) => parts.extend([&it.expr, &it.subscript_expr]),
        Expr::Call(it) => {
            parts.push(&it.expr);
            parts.extend(it.args.iter().map(argument));
        }
        Expr::List(it) => parts.extend(&it.items),
        Expr::Tuple(it) => parts.extend(&it.items),
        Expr::Map(it) => parts.extend(it.keys.iter().chain(&it.values)),
    }
    parts
        .into_iter()
        .try_for_each(|part| constant(part).map(drop))?;
    Ok(expression.as_const())
}

fn weigh_operation(operator: BinOpKind, left: &Value, right: &Value) -> Result<(), Error> {
    let bytes = match operator {
        BinOpKind::Mul => bounds::repeated(left, right)?,
        _ => bounds::weigh(left)?.saturating_add(bounds::weigh(right)?),
    };
    if bytes > CONSTANT_BYTES_MAX {
        let message = format!("a constant has more than {CONSTANT_BYTES_MAX} bytes");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(())
}
