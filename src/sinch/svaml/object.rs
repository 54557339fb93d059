//! How the objects of SVAML are read and written, so that nothing of them is lost.
//!
//! A document is read field by field. A name is found in any case and written as suggested; what
//! is not known, is null or is an empty list stays in `extra` as it came; a known field of another
//! type than documented makes the whole action or instruction one that is kept as it came.

use serde_json::{Map, Value};

/// What a document says beyond the documented fields, as it came.
pub type Extra = Map<String, Value>;

/// A value of one documented type.
pub(super) trait Leaf: Sized {
    /// Reads it; `None` where the type is another.
    fn read(value: &Value) -> Option<Self>;
    /// Writes it.
    fn print(&self) -> Value;
}

/// A field: a leaf that may be missing, or a list of them.
pub(super) trait Field: Default {
    /// Reads it; `None` where the type is another.
    fn read(value: &Value) -> Option<Self>;
    /// Writes it; nothing where it is missing.
    fn print(&self) -> Option<Value>;
}

/// An object with documented fields.
pub(super) trait Object: Sized {
    /// Takes the documented fields out of an object and keeps the rest.
    fn take(object: &mut Extra) -> Option<Self>;
    /// Adds fields and rest to an object.
    fn put(&self, object: &mut Extra);
}

impl Leaf for String {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn print(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Leaf for u32 {
    fn read(value: &Value) -> Option<Self> {
        value.as_u64().and_then(|number| number.try_into().ok())
    }

    fn print(&self) -> Value {
        Value::from(*self)
    }
}

impl Leaf for bool {
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn print(&self) -> Value {
        Value::from(*self)
    }
}

impl<T: Object> Leaf for T {
    fn read(value: &Value) -> Option<Self> {
        Self::take(&mut value.as_object()?.clone())
    }

    fn print(&self) -> Value {
        let mut object = Extra::new();
        self.put(&mut object);
        Value::Object(object)
    }
}

impl<T: Leaf> Field for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Some)
    }

    fn print(&self) -> Option<Value> {
        self.as_ref().map(T::print)
    }
}

impl<T: Leaf> Field for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }

    fn print(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.iter().map(T::print).collect())
    }
}

/// Takes a field out of an object. `None` where its type is another.
pub(super) fn take<F: Field>(object: &mut Extra, name: &str) -> Option<F> {
    let Some(key) = key(object, name) else {
        return Some(F::default());
    };
    let value = &object[&key];
    if value.is_null() {
        return Some(F::default());
    }
    let field = F::read(value)?;
    if field.print().is_some() {
        object.shift_remove(&key);
    }
    Some(field)
}

/// The name as it stands in the object: exactly, or else in another case.
pub(in crate::sinch) fn key(object: &Extra, name: &str) -> Option<String> {
    if object.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut keys = object.keys();
    keys.find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// Adds a field to an object.
pub(super) fn put<F: Field>(object: &mut Extra, name: &str, field: &F) {
    if let Some(value) = field.print() {
        object.insert(name.to_owned(), value);
    }
}

/// Adds what was kept, without overwriting a field.
pub(super) fn put_rest(object: &mut Extra, rest: &Extra) {
    for (key, value) in rest {
        if !object.contains_key(key) {
            object.insert(key.clone(), value.clone());
        }
    }
}

/// A struct for an object of SVAML: its documented fields with their names, and what else it has.
macro_rules! object {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What the documents do not name, as it came.
            pub extra: super::object::Extra,
        }

        impl super::object::Object for $name {
            fn take(object: &mut super::object::Extra) -> Option<Self> {
                Some(Self {
                    $($field: super::object::take(object, $key)?,)*
                    extra: std::mem::take(object),
                })
            }

            fn put(&self, object: &mut super::object::Extra) {
                $(super::object::put(object, $key, &self.$field);)*
                super::object::put_rest(object, &self.extra);
            }
        }
    )*};
}

/// An enum of the named objects that may stand in one place.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident, $terms:path {
        $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $enum {
            $($(#[$variant_doc])* $variant($variant),)*
            /// A name that the documents do not have, no name at all, or a field of an unexpected
            /// type: the object as it came.
            Other(super::object::Extra),
        }

        impl $enum {
            /// The name as it is suggested; an unknown one as it came.
            pub fn name(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(_) => Some($name),)*
                    Self::Other(object) => {
                        let key = super::object::key(object, "name")?;
                        object.get(&key)?.as_str()
                    }
                }
            }

            /// What the documents say of it.
            pub fn term(&self) -> Option<&'static crate::domain::svaml::Term> {
                $terms(self.name()?)
            }

            pub(super) fn read(object: &super::object::Extra) -> Self {
                Self::typed(object.clone()).unwrap_or_else(|| Self::Other(object.clone()))
            }

            fn typed(mut object: super::object::Extra) -> Option<Self> {
                let name = super::object::take::<Option<String>>(&mut object, "name")??;
                $(if name.eq_ignore_ascii_case($name) {
                    return super::object::Object::take(&mut object).map(Self::$variant);
                })*
                None
            }

            pub(super) fn print(&self) -> serde_json::Value {
                let mut object = super::object::Extra::new();
                match self {
                    $(Self::$variant(fields) => {
                        object.insert("name".to_owned(), $name.into());
                        super::object::Object::put(fields, &mut object);
                    })*
                    Self::Other(other) => object.clone_from(other),
                }
                serde_json::Value::Object(object)
            }
        }

        $(impl From<$variant> for $enum {
            fn from(fields: $variant) -> Self {
                Self::$variant(fields)
            }
        })*
    };
}

pub(super) use {named, object};
