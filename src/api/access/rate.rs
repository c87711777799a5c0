//! How often somebody may ask: a bucket of tokens a caller, in a map that cannot grow without end.

use std::collections::BTreeMap;
use std::time::Duration;

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_s: f64,
    /// Requests at once.
    pub burst: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// Buckets by key. The clock is the caller's, and only runs forward.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    most: usize,
    buckets: BTreeMap<String, Bucket>,
}

impl Buckets {
    /// Buckets for at most `most` keys at a time.
    #[must_use]
    pub fn new(rate: Rate, most: usize) -> Self {
        Self {
            rate,
            most: most.max(1),
            buckets: BTreeMap::new(),
        }
    }

    /// Whether `key` may ask at `now`; if not, seconds after which it may.
    ///
    /// # Errors
    /// The wait in whole seconds, at least 1.
    pub fn take(&mut self, key: &str, now: Duration) -> Result<(), u64> {
        let rate = self.rate;
        if !self.buckets.contains_key(key) && self.buckets.len() >= self.most {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(key.to_owned()).or_insert(Bucket {
            left: rate.burst,
            at: now,
        });
        let since = now.saturating_sub(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * rate.per_s).min(rate.burst);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = ((1.0 - bucket.left) / rate.per_s.max(1e-9)).ceil();
        // The cast saturates.
        Err((wait as u64).clamp(1, 3600))
    }

    /// Forgets buckets that are full again, which changes nothing; if none is, the one asked longest ago.
    fn make_room(&mut self, now: Duration) {
        let rate = self.rate;
        self.buckets
            .retain(|_, b| b.left + now.saturating_sub(b.at).as_secs_f64() * rate.per_s < rate.burst);
        if self.buckets.len() >= self.most {
            let oldest = self.buckets.iter().min_by_key(|(_, b)| b.at).map(|(k, _)| k.clone());
            if let Some(oldest) = oldest {
                self.buckets.remove(&oldest);
            }
        }
    }

    /// Keys held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_s: 20.0,
        burst: 60.0,
    };

    fn at(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn sixty_at_once_and_then_twenty_a_second() {
        let mut buckets = Buckets::new(RATE, 10);
        assert!((0..60).all(|_| buckets.take("a", at(1.0)).is_ok()));
        assert_eq!(buckets.take("a", at(1.0)), Err(1));
        assert!(buckets.take("b", at(1.0)).is_ok());
        let passed = (0..1000)
            .filter(|i| buckets.take("a", at(1.0 + f64::from(*i) / 100.0)).is_ok())
            .count();
        assert!((198..=201).contains(&passed), "{passed} in ten seconds");
    }

    #[test]
    fn ever_new_keys_do_not_fill_the_memory() {
        let mut buckets = Buckets::new(RATE, 100);
        for i in 0..10_000_u32 {
            assert!(buckets.take(&format!("k{i}"), at(f64::from(i) * 1e-4)).is_ok());
        }
        assert!(buckets.len() <= 100);
    }
}
