//! Hours of a server that fails, played in no time.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const T0: Duration = Duration::ZERO;

fn status(code: u16) -> Event {
    Event::Replied(Reply::Status(code, "no\nreason".to_owned()))
}

fn silence() -> Event {
    Event::Replied(Reply::Silence("refused".to_owned()))
}

/// A machine with a batch of `lines` whose first request is out.
fn sending(lines: usize) -> Delivery {
    let mut d = Delivery::new(1);
    assert_eq!(d.next(Event::Ready, T0), Action::Load(LINES_MAX));
    assert_eq!(d.next(Event::Loaded(lines), T0), Action::Send(0..lines));
    d
}

#[test]
fn what_is_taken_is_settled_and_then_there_is_more_or_rest() {
    let mut d = sending(7);
    let settled = Action::Settle {
        lines: 7,
        refused: vec![],
    };
    assert_eq!(d.next(Event::Replied(Reply::Taken), T0), settled);
    assert_eq!(d.next(Event::Ready, T0), Action::Load(LINES_MAX));
    assert_eq!(d.next(Event::Loaded(0), T0), Action::Idle);
}

#[test]
fn a_server_that_is_away_is_tried_for_ever_with_waits_that_grow_to_a_minute() {
    let answers = [
        silence(),
        status(408),
        status(425),
        status(500),
        status(502),
        status(503),
        status(504),
        status(200),
    ];
    for answer in answers {
        let mut d = sending(3);
        let mut longest = Duration::ZERO;
        for n in 0..500_u32 {
            let Action::Wait(wait) = d.next(answer.clone(), T0) else {
                panic!("{answer:?} must be waited for");
            };
            let most = Duration::from_secs(60).min(Duration::from_secs(1 << n.min(10)));
            assert!(wait >= RETRY_FLOOR && wait <= most, "wait {n}: {wait:?}");
            longest = longest.max(wait);
            let offline = *d.health() == Health::Offline;
            assert_eq!(offline, n + 1 >= OFFLINE_AFTER, "after {} failures", n + 1);
            assert_eq!(d.next(Event::Due, T0), Action::Send(0..3), "the same lines again");
        }
        assert!(
            longest > Duration::from_secs(55),
            "the waits use their whole range: {longest:?}"
        );
        assert!(matches!(
            d.next(Event::Replied(Reply::Taken), T0),
            Action::Settle { lines: 3, .. }
        ));
        assert_eq!((d.health(), d.last_error()), (&Health::Online, None));
    }
}

#[test]
fn too_many_requests_wait_half_a_minute_doubling_to_five() {
    let mut d = sending(3);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Action::Wait(wait) = d.next(status(429), T0) else {
            panic!("429 is waited for");
        };
        waits.push(wait.as_secs());
        assert_eq!(d.next(Event::Due, T0), Action::Send(0..3));
    }
    assert_eq!(waits, [30, 60, 120, 240, 300, 300]);
}

#[test]
fn what_a_person_has_to_mend_pauses_and_is_tried_again() {
    for (code, why) in [
        (401, Pause::Unauthorised),
        (403, Pause::Forbidden),
        (404, Pause::NoBucket),
        (301, Pause::Redirected),
        (307, Pause::Redirected),
        (405, Pause::Unexpected),
        (418, Pause::Unexpected),
    ] {
        let mut d = sending(3);
        assert_eq!(d.next(status(code), T0), Action::Pause(why, PAUSE));
        assert_eq!(d.health(), &Health::Paused(why));
        assert_eq!(d.last_error(), Some(format!("HTTP {code} no reason").as_str()));
        assert_eq!(d.next(Event::Due, T0), Action::Send(0..3), "nothing is given up");
    }
}

#[test]
fn a_body_that_is_too_large_is_halved_and_the_size_is_remembered() {
    let mut d = sending(5000);
    assert_eq!(d.next(status(413), T0), Action::Send(0..2500));
    assert_eq!(d.next(status(413), T0), Action::Send(0..1250));
    assert_eq!(d.next(Event::Replied(Reply::Taken), T0), Action::Send(1250..2500));
    assert_eq!(d.next(Event::Replied(Reply::Taken), T0), Action::Send(2500..5000));
    assert_eq!(d.next(status(413), T0), Action::Send(2500..3750));
    for _ in 0..2 {
        d.next(Event::Replied(Reply::Taken), T0);
    }
    assert_eq!(d.next(Event::Ready, T0), Action::Load(1250));
}

#[test]
fn a_deletion_is_repeated_like_a_write_and_given_up_where_a_server_has_none() {
    let erasing = || {
        let mut d = Delivery::new(1);
        d.next(Event::Ready, T0);
        assert_eq!(d.next(Event::LoadedErasure, T0), Action::Erase);
        d
    };
    let mut d = erasing();
    assert!(matches!(d.next(status(503), T0), Action::Wait(_)));
    assert_eq!(d.next(Event::Due, T0), Action::Erase);
    let done = Action::Settle {
        lines: 0,
        refused: vec![],
    };
    assert_eq!(d.next(Event::Replied(Reply::Taken), T0), done);
    for code in [400, 404, 405, 422, 501] {
        let refused = Refused {
            line: None,
            reason: format!("HTTP {code} no reason"),
        };
        let given_up = Action::Settle {
            lines: 0,
            refused: vec![refused],
        };
        assert_eq!(erasing().next(status(code), T0), given_up);
    }
    assert!(matches!(
        erasing().next(status(401), T0),
        Action::Pause(Pause::Unauthorised, _)
    ));
}

#[test]
fn more_bad_lines_than_chance_makes_pause_it_and_an_hour_forgets_them() {
    let refuse_all = |d: &mut Delivery, lines: usize, now: Duration| {
        let mut action = d.next(Event::Loaded(lines), now);
        let mut n = 0;
        while let Action::Send(_) = action {
            action = d.next(status(400), now);
            n += 1;
            assert!(n < 1000, "it ends");
        }
        action
    };
    let mut d = Delivery::new(1);
    d.next(Event::Ready, T0);
    for _ in 0..10 {
        assert!(matches!(refuse_all(&mut d, 10, T0), Action::Settle { lines: 10, .. }));
        assert!(matches!(d.next(Event::Ready, T0), Action::Load(_)), "up to a hundred");
    }
    refuse_all(&mut d, 1, T0);
    assert!(matches!(
        d.next(Event::Ready, T0),
        Action::Pause(Pause::TooManyRejects, _)
    ));
    assert!(matches!(d.next(Event::Due, T0), Action::Load(_)));
    for hour in 1..5 {
        let now = HOUR * hour;
        for _ in 0..10 {
            refuse_all(&mut d, 10, now);
            assert!(matches!(d.next(Event::Ready, now), Action::Load(_)), "hour {hour}");
        }
    }
}

/// A server that refuses a request if it holds a bad line or too many lines, and otherwise takes it; sometimes away.
/// Partial: it keeps the good lines of a request it refuses, as version 1 does.
struct Server {
    bad: BTreeSet<usize>,
    most: usize,
    partial: bool,
    kept: BTreeSet<usize>,
}

impl Server {
    fn reply(&mut self, lines: Range<usize>) -> Reply {
        if lines.len() > self.most {
            return Reply::Status(413, String::new());
        }
        let good = lines.clone().filter(|l| !self.bad.contains(l));
        if good.clone().count() == lines.len() || self.partial {
            self.kept.extend(good.clone());
        }
        if good.count() == lines.len() {
            Reply::Taken
        } else {
            Reply::Status(400, String::new())
        }
    }
}

proptest! {
    #[test]
    fn good_lines_arrive_bad_ones_are_told_and_nothing_else(
        all in 1_usize..3000, bad in proptest::collection::btree_set(0_usize..3000, 0..60), most in 1_usize..4000,
        partial in any::<bool>(), faults in proptest::collection::vec(0_u8..4, 0..40)
    ) {
        let bad: BTreeSet<usize> = bad.into_iter().filter(|b| *b < all).collect();
        let mut server = Server { bad: bad.clone(), most, partial, kept: BTreeSet::new() };
        let (mut d, mut from, mut told, mut requests) = (Delivery::new(5), 0_usize, BTreeSet::new(), 0_u32);
        let mut faults = faults.into_iter();
        let mut action = d.next(Event::Ready, T0);
        let mut in_batch = 0;
        let mut steps = 0_u32;
        loop {
            steps += 1;
            prop_assert!(steps < 200_000, "it ends");
            let event = match action {
                Action::Load(size) => {
                    in_batch = 0;
                    Event::Loaded(size.min(all - from))
                }
                Action::Send(lines) => {
                    requests += 1;
                    in_batch += 1;
                    prop_assert!(in_batch <= REQUESTS_MAX || lines.start == 0 );
                    match faults.next() {
                        Some(0) => Event::Replied(Reply::Silence("cut before".into())),
                        // Taken, but the answer is lost.
                        Some(1) => {
                            server.reply(from + lines.start..from + lines.end);
                            Event::Replied(Reply::Silence("cut after".into()))
                        }
                        _ => Event::Replied(server.reply(from + lines.start..from + lines.end)),
                    }
                }
                Action::Settle { lines, refused } => {
                    prop_assert!(lines > 0, "a settled batch gets somewhere");
                    for r in refused {
                        let at = r.line.expect("a line");
                        prop_assert!(at < lines, "only settled lines are told");
                        prop_assert!(told.insert(from + at), "told once");
                    }
                    from += lines;
                    Event::Ready
                }
                Action::Wait(_) | Action::Pause(..) => Event::Due,
                Action::Idle => break,
                Action::Erase => unreachable!(),
            };
            action = d.next(event, T0);
        }
        prop_assert_eq!(from, all);
        prop_assert_eq!(&told, &bad);
        let good: BTreeSet<usize> = (0..all).filter(|l| !bad.contains(l)).collect();
        prop_assert_eq!(server.kept, good);
        // Halving costs a few requests for each bad line, not one for each good one.
        let depth = usize::BITS - all.leading_zeros() + 1;
        let bound = (2 * depth + 45) * (bad.len() as u32 + 2) + 3 * (all / most.min(all)) as u32 + 80;
        prop_assert!(requests <= bound, "{requests} > {bound}");
    }
}
