//! What people pressed in calls.

use crate::store::sqlite::rows::json;
use crate::store::sqlite::{SqliteStore, millis};
use crate::store::{Press, StoreError};

const PRESSES: &str = "-- pressed: what was pressed
    insert or ignore into presses (attempt, at, value)
    select attempts.key, value ->> 1, value ->> 2 from json_each(?1)
    join attempts on attempts.id = unhex(value ->> 0)";

impl SqliteStore {
    pub(super) async fn keep_presses(&self, presses: &[Press]) -> Result<(), StoreError> {
        if presses.is_empty() {
            return Ok(());
        }
        let rows = presses.iter().map(|press| {
            let (attempt, at) = (press.attempt.to_string(), millis(press.at));
            (attempt, at, &press.value)
        });
        let rows = json(&rows.collect::<Vec<_>>());
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(PRESSES).bind(rows).execute(&mut *writer).await;
        done.map(drop).map_err(|e| self.fault(&e))
    }
}
