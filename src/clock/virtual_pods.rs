//! Virtual pods whose clocks and radios are known, for the tests of both maps.
//!
//! Two pods, +40 and −40 ppm, a radio of 5–40 ms by several laws, stalls in which everything is late by up to 300 ms. What
//! counts is how far apart the two maps put one true instant.

use super::exchange::{Exchange, ExchangeMap};
use super::skew::ClockMap;
use super::{ClockNews, ClockQuality};
use crate::model::SessionTime;

/// Law of the delay beyond the least 5 ms.
#[derive(Clone, Copy, Debug)]
enum Law {
    /// Uniform up to 40 ms.
    Uniform,
    /// Exponential with a mean of 10 ms: skewed, no upper end.
    Exponential,
    /// Exponential, and for four seconds out of forty everything is 100 to 300 ms late.
    Bursts,
}

struct Radio {
    law: Law,
    state: u64,
}

impl Radio {
    fn new(law: Law, seed: u64) -> Self {
        Self {
            law,
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }
    /// Uniform in [0, 1), xorshift64*.
    fn uniform(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
    fn delay(&mut self, t: f64) -> f64 {
        let u = self.uniform();
        match self.law {
            Law::Uniform => 0.005 + 0.035 * u,
            Law::Exponential => 0.005 - 0.010 * (1.0 - u).ln(),
            Law::Bursts => {
                let stalled = (t + 13.0) % 40.0 < 4.0;
                0.005 - 0.010 * (1.0 - u).ln() + if stalled { 0.1 + 0.2 * self.uniform() } else { 0.0 }
            }
        }
    }
}

const DRIFT: [f64; 2] = [40e-6, -40e-6];
const STARTED: [f64; 2] = [0.0, 17.0];

fn tick(i: usize, t: f64) -> f64 {
    t * (1.0 + DRIFT[i]) + STARTED[i]
}

/// Largest difference of two maps after 60 s and after 600 s, s.
fn by_arrivals(law: Law, seed: u64) -> [f64; 2] {
    let mut maps = [ClockMap::default(), ClockMap::default()];
    let mut radios = [Radio::new(law, seed), Radio::new(law, seed + 1000)];
    let mut worst = [0.0_f64; 2];
    for k in 0..9000_u64 {
        let t = 0.1 * k as f64;
        let mut at = [0.0; 2];
        for i in 0..2 {
            let x = tick(i, t);
            let news = maps[i].observe(x, SessionTime::from_secs(t + radios[i].delay(t)));
            assert_eq!(news, ClockNews::Steady, "{law:?} {seed} at {t}");
            at[i] = maps[i].map(x).secs();
        }
        note(&mut worst, t, at);
    }
    worst
}

fn note(worst: &mut [f64; 2], t: f64, at: [f64; 2]) {
    let apart = (at[0] - at[1]).abs();
    if t > 60.0 {
        worst[0] = worst[0].max(apart);
    }
    if t > 600.0 {
        worst[1] = worst[1].max(apart);
    }
}

fn exchange(i: usize, t: f64, radio: &mut Radio) -> Exchange {
    let (out, back) = (radio.delay(t), radio.delay(t));
    let ns = |s: f64| (s * 1e9) as i64;
    let received = t + out;
    let answered = received + 0.001;
    Exchange {
        t1_ns: ns(t),
        t2_ns: ns(tick(i, received)),
        t3_ns: ns(tick(i, answered)),
        t4_ns: ns(answered + back),
    }
}

fn by_exchanges(law: Law, seed: u64) -> [f64; 2] {
    exchanged(law, seed, 0)
}

/// With ten frames of data a second.
fn by_exchanges_and_data(law: Law, seed: u64) -> [f64; 2] {
    exchanged(law, seed, 10)
}

fn exchanged(law: Law, seed: u64, frames: u32) -> [f64; 2] {
    let mut maps = [ExchangeMap::default(), ExchangeMap::default()];
    let mut radios = [Radio::new(law, seed), Radio::new(law, seed + 1000)];
    let mut worst = [0.0_f64; 2];
    for k in 0..900_u32 {
        let t = f64::from(k);
        let mut at = [0.0; 2];
        for i in 0..2 {
            if k < 10 || k % 2 == 0 {
                let news = maps[i].observe(&exchange(i, t, &mut radios[i]));
                assert_eq!(news, ClockNews::Steady, "{law:?} {seed} at {t}");
            }
            for f in 0..frames {
                let sent = t + 0.1 * f64::from(f);
                let arrival = SessionTime::from_secs(sent + radios[i].delay(sent));
                maps[i].note_arrival((tick(i, sent) * 1e9) as i64, arrival);
            }
            let now = t + 0.7;
            at[i] = maps[i].map((tick(i, now) * 1e9) as i64).expect("exchanged").secs();
            let q = maps[i].quality(SessionTime::from_secs(now)).expect("exchanged");
            // The bound is a promise about the truth, once the slewing of the first seconds is over.
            assert!(
                t < 60.0 || (at[i] - now).abs() <= q.bound_s,
                "{law:?} {seed} at {t}: {q:?}"
            );
        }
        note(&mut worst, t, at);
    }
    worst
}

fn worst_of(run: fn(Law, u64) -> [f64; 2], law: Law) -> [f64; 2] {
    (0..SEEDS)
        .map(|s| run(law, s))
        .fold([0.0, 0.0], |w, r| [w[0].max(r[0]), w[1].max(r[1])])
}

const SEEDS: u64 = 20;
const LAWS: [Law; 3] = [Law::Uniform, Law::Exponential, Law::Bursts];

#[test]
fn two_pods_agree_by_arrivals() {
    for law in LAWS {
        let worst = worst_of(by_arrivals, law);
        assert!(worst[0] <= 0.003, "{law:?}: {worst:?}");
        assert!(worst[1] <= 0.002, "{law:?}: {worst:?}");
    }
}

#[test]
fn two_pods_agree_by_exchanges() {
    for law in LAWS {
        let worst = worst_of(by_exchanges_and_data, law);
        assert!(worst[0] <= 0.003, "{law:?}: {worst:?}");
        assert!(worst[1] <= 0.002, "{law:?}: {worst:?}");
    }
}

#[test]
fn exchanges_alone_are_too_few_for_a_wide_radio_and_stay_within_their_bound() {
    for law in LAWS {
        let worst = worst_of(by_exchanges, law);
        assert!(worst[0] <= 0.008, "{law:?}: {worst:?}");
        assert!(worst[1] <= 0.004, "{law:?}: {worst:?}");
    }
}

#[test]
fn time_never_goes_back_and_the_rate_is_found() {
    for law in LAWS {
        let mut map = ClockMap::default();
        let mut radio = Radio::new(law, 5);
        let mut last = SessionTime::from_nanos(i64::MIN);
        for k in 0..30_000_u64 {
            let t = 0.01 * k as f64;
            if k % 10 == 0 {
                map.observe(tick(0, t), SessionTime::from_secs(t + radio.delay(t)));
            }
            let now = map.map(tick(0, t));
            assert!(now > last, "{law:?} at {t}");
            last = now;
        }
        assert!((map.ppm() + 40.0).abs() < 8.0, "{law:?}: {} ppm", map.ppm());
    }
}

fn quality(map: &ClockMap, t: f64) -> ClockQuality {
    map.quality(SessionTime::from_secs(t)).expect("pairs")
}

#[test]
fn a_jump_of_the_device_is_noticed_counted_and_starts_a_new_epoch() {
    for jump in [-3600.0, -1.0, -0.2, 0.2, 1.0, 3600.0] {
        let mut map = ClockMap::default();
        let mut radio = Radio::new(Law::Exponential, 9);
        let mut told = Vec::new();
        for k in 0..3000_u64 {
            let t = 0.1 * k as f64;
            let x = tick(1, t) + if t >= 120.0 { jump } else { 0.0 };
            if let ClockNews::Step { by_s } = map.observe(x, SessionTime::from_secs(t + radio.delay(t))) {
                told.push((t, by_s));
            }
            let at = map.map(x).secs();
            let settling = (120.0..170.0).contains(&t) && jump < 0.0;
            assert!(
                settling || (t > 10.0).then_some((at - t).abs()).is_none_or(|e| e < 0.045),
                "{jump}: {t} {at}"
            );
        }
        assert_eq!(told.len(), 1, "{jump}: {told:?}");
        let (t, by) = told[0];
        // The rate known so far is carried over the jump: 20 ppm of an hour are 0.07 s.
        assert!((by - jump).abs() < 0.02 + 1e-4 * jump.abs(), "{jump}: {told:?}");
        assert!(t < if jump > 0.0 { 120.5 } else { 162.0 }, "{jump}: {told:?}");
        assert_eq!((quality(&map, 300.0).steps, quality(&map, 300.0).epoch), (1, 1));
    }
}

#[test]
fn an_exchange_shows_a_jump_either_way_at_once_and_a_boot_starts_anew() {
    for jump in [-5.0, -0.1, 0.1, 5.0] {
        let mut map = ExchangeMap::default();
        let mut radio = Radio::new(Law::Uniform, 3);
        for k in 0..100_u32 {
            let t = 2.0 * f64::from(k);
            let mut e = exchange(0, t, &mut radio);
            if k >= 60 {
                e.t2_ns += (jump * 1e9) as i64;
                e.t3_ns += (jump * 1e9) as i64;
            }
            match map.observe(&e) {
                ClockNews::Step { by_s } => {
                    assert_eq!(k, 60);
                    assert!((by_s - jump).abs() < 0.025, "{jump} {by_s}");
                }
                news => assert!(k != 60 && news == ClockNews::Steady, "{jump} {k} {news:?}"),
            }
        }
        let q = map.quality(SessionTime::from_secs(200.0)).expect("exchanges");
        assert_eq!((q.steps, q.epoch), (1, 1));
        map.reboot();
        assert_eq!(map.quality(SessionTime::from_secs(200.0)), None);
        assert_eq!(map.map(0), None);
    }
}

#[test]
fn silence_makes_the_bound_grow_and_the_age_tells_it() {
    let mut map = ExchangeMap::default();
    let mut arrivals = ClockMap::default();
    let mut radio = Radio::new(Law::Uniform, 4);
    for k in 0..60_u32 {
        let t = 2.0 * f64::from(k);
        map.observe(&exchange(0, t, &mut radio));
        arrivals.observe(tick(0, t), SessionTime::from_secs(t + radio.delay(t)));
    }
    let at = |t: f64| map.quality(SessionTime::from_secs(t)).expect("exchanges");
    assert!((at(218.0).bound_s - at(118.0).bound_s - 100.0 * 20e-6).abs() < 1e-6);
    assert!((at(218.0).age_s - 100.0).abs() < 0.1);
    assert!(
        at(118.0).bound_s >= 0.005 && at(118.0).bound_s < 0.02,
        "{:?}",
        at(118.0)
    );
    assert!(quality(&arrivals, 500.0).bound_s > quality(&arrivals, 118.0).bound_s + 0.005);
}

#[test]
fn stamps_that_cannot_be_are_refused() {
    let good = Exchange {
        t1_ns: 0,
        t2_ns: 1_000_010,
        t3_ns: 1_000_020,
        t4_ns: 30,
    };
    let mut map = ExchangeMap::default();
    assert_eq!(
        map.observe(&Exchange {
            t3_ns: 1_000_000,
            ..good
        }),
        ClockNews::Refused
    );
    assert_eq!(map.observe(&Exchange { t4_ns: 5, ..good }), ClockNews::Refused);
    assert_eq!(map.quality(SessionTime::ZERO), None);
    assert_eq!(map.observe(&good), ClockNews::Steady);
    assert_eq!((good.twice_offset_ns(), good.delay_ns()), (2 * 1_000_000, 20));
}
