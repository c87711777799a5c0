//! The conformance suite's last case: any history of appends, flushes, reopenings and crashes, against a map.

use super::conformance::{Backend, all_strides, batch_of, begun};
use super::contract::{Appended, Store};
use super::error::StoreError;
use super::fixture::{key_of, stride};
use crate::metrics::StrideRecord;
use crate::model::{SegmentKind, SessionTime, Side};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    /// Strides by number and side, as one batch.
    Append(Vec<(u64, Option<Side>)>),
    /// A stride that is there, with another content, in one batch with new ones.
    Alter(u64, Option<Side>),
    Flush,
    Reopen,
    Crash,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let side = prop::sample::select(vec![None, Some(Side::Left), Some(Side::Right)]);
    let key = (0_u64..30, side);
    let op = prop_oneof![
        6 => prop::collection::vec(key.clone(), 0..12).prop_map(Op::Append),
        1 => key.prop_map(|(n, side)| Op::Alter(n, side)),
        3 => Just(Op::Flush),
        1 => Just(Op::Reopen),
        1 => Just(Op::Crash),
    ];
    prop::collection::vec(op, 1..25)
}

type Model = BTreeMap<(SessionTime, Option<Side>, SegmentKind), StrideRecord>;

fn check_against_model<B: Backend>(ops: &[Op]) {
    let (backend, mut store) = begun::<B>();
    let mut model = Model::new();
    // What a crash may leave: the model after each append since the last flush.
    let mut prefixes = vec![model.clone()];
    for op in ops {
        match op {
            Op::Append(keys) => {
                let rows: Vec<_> = keys.iter().map(|(n, side)| stride(*n, *side)).collect();
                let before = model.len();
                model.extend(rows.iter().map(|r| (key_of(r), r.clone())));
                let new = model.len() - before;
                assert_eq!(
                    store.append(batch_of(&rows)),
                    Ok(Appended {
                        new,
                        known: rows.len() - new
                    })
                );
                prefixes.push(model.clone());
            }
            Op::Alter(n, side) => {
                let mut row = stride(*n, *side);
                row.index += 1;
                if model.contains_key(&key_of(&row)) {
                    let result = store.append(batch_of(&[stride(77, None), row, stride(78, None)]));
                    assert!(matches!(result, Err(StoreError::Conflict { .. })));
                }
            }
            Op::Flush => {
                store.flush().expect("flush");
                prefixes = vec![model.clone()];
            }
            Op::Reopen => {
                store.flush().expect("flush");
                prefixes = vec![model.clone()];
                drop(store);
                store = backend.open().expect("opens again");
            }
            Op::Crash => {
                B::crash(store);
                store = backend.open().expect("opens again");
                let found: Model = all_strides(&store).into_iter().map(|r| (key_of(&r), r)).collect();
                assert!(
                    prefixes.contains(&found),
                    "{} rows are no prefix of the appends",
                    found.len()
                );
                prefixes = vec![found.clone()];
                model = found;
            }
        }
    }
    store.flush().expect("flush");
    assert_eq!(all_strides(&store), model.into_values().collect::<Vec<_>>());
}

pub(crate) fn any_history_of_appends_flushes_and_crashes_agrees_with_a_map<B: Backend>() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&ops(), |ops| {
            check_against_model::<B>(&ops);
            Ok(())
        })
        .expect("the store agrees with the map");
}
