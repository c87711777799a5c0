//! Requests, replies, events, capabilities and calibrations: decoding returns, and what decodes comes back.
#![no_main]

use firmware_protocol::{Answer, Body, Calibration, Event, Reply, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut out = vec![0; bytes.len() + 64];
    if let Ok(request) = Request::decode(bytes) {
        assert_eq!(
            request.encode(&mut out).expect("it decoded"),
            bytes,
            "requests have one form"
        );
    }
    if let Ok(reply) = Reply::decode(bytes) {
        if let Answer::Done(Body::GetCaps(page)) = &reply.answer {
            let _ = page.tlvs().count();
        }
        assert_eq!(Reply::decode(reply.encode(&mut out).expect("it decoded")), Ok(reply));
    }
    if let Ok(event) = Event::decode(bytes) {
        assert_eq!(Event::decode(event.encode(&mut out).expect("it decoded")), Ok(event));
    }
    if let Ok(calibration) = Calibration::decode(bytes) {
        let mut blob = [0; 256];
        let blob = calibration.encode(&mut blob).expect("it decoded");
        assert_eq!(Calibration::decode(blob), Ok(calibration));
    }
});
