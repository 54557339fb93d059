//! The sound of a recording: a real WAV file of a plain tone, as long as was recorded.

/// Samples a second, one byte each: few, so that hours of talk stay small.
const RATE: u32 = 1000;

/// A file of so many seconds; `pitch` sets one recording's tone apart from another's.
pub(super) fn tone(seconds: u32, pitch: u8) -> Vec<u8> {
    let samples = seconds.saturating_mul(RATE);
    let mut file = Vec::with_capacity(44 + usize::try_from(samples).unwrap_or_default());
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    put(b"RIFF");
    put(&samples.saturating_add(36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    // PCM, one channel.
    put(&1_u16.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&RATE.to_le_bytes());
    // Bytes a second, bytes a sample, bits a sample.
    put(&RATE.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&8_u16.to_le_bytes());
    put(b"data");
    put(&samples.to_le_bytes());
    let half = u32::from(pitch % 8) + 1;
    file.extend((0..samples).map(|at| if (at / half) % 2 == 0 { 96 } else { 160 }));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_long_as_it_says() {
        for seconds in [0, 1, 30] {
            let file = tone(seconds, 3);
            let told = u32::from_le_bytes(file[40..44].try_into().unwrap());
            assert_eq!(told, seconds * RATE);
            assert_eq!(file.len(), 44 + usize::try_from(told).unwrap());
        }
        assert_ne!(tone(1, 0), tone(1, 1));
    }
}
