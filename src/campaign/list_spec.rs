//! `[recipients]`: where the list is, and how to read it.
//!
//! Whether the list has the columns named here is seen when its header is known
//! ([`Campaign::bind`](super::Campaign::bind)); which regions have telephone numbers is known to
//! `recipients`.

use std::path::PathBuf;

use encoding_rs::Encoding;

use crate::domain::{DestinationKind, NumberForm};

use super::fault::nearest;
use super::place::Place;
use super::table::{Placed, Table};

const RECIPIENTS: [&str; 9] = [
    "file",
    "number",
    "region",
    "numbers",
    "delimiter",
    "encoding",
    "time_zone",
    "id",
    "destination_type",
];

/// Whom to call: where the list is, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSpec {
    /// The list; a relative path in the campaign file is relative to that file.
    pub file: PathBuf,
    /// The column with the number or the user name.
    pub number: String,
    /// The region in which national numbers are read, two capital letters.
    pub region: Option<String>,
    /// What digits without a `+` begin with.
    pub numbers: NumberForm,
    /// What separates cells; found out from the header where absent.
    pub delimiter: Option<u8>,
    /// The WHATWG name of the list's encoding; UTF-8 (or what a byte order mark says) where absent.
    pub encoding: Option<String>,
    /// The column with the recipient's time zone.
    pub time_zone: Option<String>,
    /// The column with the row's own id.
    pub id: Option<String>,
    /// Whether rows are telephone numbers or users of the application.
    pub destination_kind: DestinationKind,
}

/// `[recipients]` with the places that are needed later.
pub(super) struct Recipients {
    /// The checked values.
    pub(super) spec: ListSpec,
    /// The columns it names.
    pub(super) columns: Vec<Placed<String>>,
    /// Where the region stands.
    pub(super) region: Place,
}

/// Reads `[recipients]`.
pub(super) fn read(root: &Table<'_, '_>) -> Option<Recipients> {
    if !root.has("recipients") {
        root.missing("recipients", "add [recipients] with file = \"list.csv\"");
        return None;
    }
    let table = root.table("recipients", "[recipients]", &RECIPIENTS)?;
    let file = table.required_string("file", "file = \"list.csv\", relative to this file");
    if let Some(file) = file.as_ref().filter(|file| file.value.is_empty()) {
        root.file.fault(
            &file.place,
            "`file` is empty",
            "name the list: file = \"list.csv\"",
        );
    }
    let mut columns = Vec::new();
    let mut column = |key: &str| {
        let Placed { value, place } = table.string(key)?;
        let name = value.to_owned();
        let value = name.clone();
        columns.push(Placed { value, place });
        Some(name)
    };
    let number = column("number");
    let time_zone = column("time_zone");
    let id = column("id");
    if number.is_none() && !table.has("number") {
        let value = "number".to_owned();
        let place = table.place();
        columns.push(Placed { value, place });
    }
    let spec = ListSpec {
        file: file.map_or_else(PathBuf::new, |file| file.value.into()),
        number: number.unwrap_or_else(|| "number".to_owned()),
        region: region(&table),
        numbers: number_form(&table),
        delimiter: delimiter(&table),
        encoding: encoding(&table),
        time_zone,
        id,
        destination_kind: destination_kind(&table),
    };
    let region = table
        .string("region")
        .map_or_else(|| table.place(), |region| region.place);
    Some(Recipients {
        spec,
        columns,
        region,
    })
}

fn region(table: &Table<'_, '_>) -> Option<String> {
    let region = table.string("region")?;
    let right = region.value.len() == 2 && region.value.bytes().all(|b| b.is_ascii_uppercase());
    if !right {
        let message = format!("`{}` is not a region", region.value.escape_debug());
        let help = "two capital letters, as in \"SE\" or \"US\"";
        table.file.fault(&region.place, message, help);
    }
    Some(region.value.to_owned())
}

fn number_form(table: &Table<'_, '_>) -> NumberForm {
    let Some(form) = table.string("numbers") else {
        return NumberForm::Any;
    };
    let read = form.value.parse().unwrap_or_else(|message: String| {
        let near = nearest(form.value, NumberForm::ALL.map(NumberForm::as_str));
        let near = near.map(|near| format!("did you mean \"{near}\"? "));
        let help = format!(
            "{}it is \"any\" (the default), \"international\" (digits begin with the country code) \
             or \"national\"",
            near.unwrap_or_default()
        );
        table.file.fault(&form.place, message, help);
        NumberForm::Any
    });
    if read == NumberForm::National && !table.has("region") {
        table.file.fault(
            &form.place,
            "`numbers = \"national\"` needs a region",
            "say whose numbers they are: region = \"SE\"",
        );
    }
    read
}

fn delimiter(table: &Table<'_, '_>) -> Option<u8> {
    let delimiter = table.string("delimiter")?;
    let byte = match delimiter.value {
        "," => b',',
        ";" => b';',
        "\t" | "tab" => b'\t',
        "|" => b'|',
        other => {
            let message = format!("`{}` cannot separate cells", other.escape_debug());
            let help = "it is one of \",\", \";\", \"tab\" and \"|\"; without it the header tells";
            table.file.fault(&delimiter.place, message, help);
            return None;
        }
    };
    Some(byte)
}

fn encoding(table: &Table<'_, '_>) -> Option<String> {
    let encoding = table.string("encoding")?;
    if Encoding::for_label_no_replacement(encoding.value.as_bytes()).is_none() {
        let message = format!("`{}` is not an encoding", encoding.value.escape_debug());
        let help = "use a name of the WHATWG list, such as \"windows-1252\" or \"utf-16le\"";
        table.file.fault(&encoding.place, message, help);
    }
    Some(encoding.value.to_owned())
}

fn destination_kind(table: &Table<'_, '_>) -> DestinationKind {
    let Some(kind) = table.string("destination_type") else {
        return DestinationKind::Number;
    };
    kind.value.parse().unwrap_or_else(|message: String| {
        let help = "it is \"number\" (the default), \"username\" or \"sip\"";
        table.file.fault(&kind.place, message, help);
        DestinationKind::Number
    })
}
