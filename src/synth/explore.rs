use super::*;
use super::foot::*; use super::timeline::*; use super::shank::*; use super::script::Script;
use nalgebra::Vector3;
use crate::model::units::deg;
#[test]
fn explore() {
    let v: f64 = std::env::var("V").ok().and_then(|x| x.parse().ok()).unwrap_or(3.3);
    let strike: f64 = std::env::var("STRIKE").ok().and_then(|x| x.parse().ok()).unwrap_or(11.0);
    let mut subject = Subject::reference(); subject.strike_rad = strike.to_radians();
    subject.variability = 0.0;
    let script = if v < 1.95 { Script::new().stand(3.0).walk(20.0, v).stop(6.0) } else { Script::new().stand(3.0).run(30.0, v).stop(9.0) };
    let tl = Timeline::new(&subject, &script, 1);
    println!("end {} rests {:?} steps {} {}", tl.end, tl.rests, tl.steps[0].len(), tl.steps[1].len());
    for (i, st) in tl.steps[0].iter().enumerate().take(40) { println!("{i} {:?} {:?} ic {:.3} tc {:?} v {:.2} x {:.3}", st.gait, st.landing, st.ic, st.tc, st.speed, st.place[0]); }
    let mut ft = FootTrack::new(&subject, &tl.steps[0]);
    let k = tl.steps[0].iter().position(|s| s.ic > 15.0).unwrap();
    let (ic, tc, ic2) = (tl.steps[0][k].ic, tl.steps[0][k].tc.unwrap(), tl.steps[0][k+1].ic);
    let lever = Vector3::new(0.07, 0.0, 0.065);
    let mut t = ic - 0.06;
    while t < ic2 + 0.02 {
        let pose = ft.pose(t);
        let kin = pose.kinematics();
        let f = kin.specific_force(&lever);
        let a = ft.angles(t);
        let pel = tl.intervals[tl.interval_at(t)].pose(t, &tl.path);
        let an = ankle(&pose, &subject);
        let sh = shank_pose(&subject, &pel, &an, 1.0);
        let sk = sh.kinematics();
        let alpha = libm::atan2(-sk.level_from_segment[(0,2)], sk.level_from_segment[(2,2)]);
        let fs = sk.specific_force(&Vector3::new(0.02,0.0,0.12));
        let d = [pel.origin[0].v - an[0].v, pel.origin[2].v - an[2].v];
        println!("{:+.3} u{:.2} pitch {:+7.1} rate {:+6.2} |w| {:5.2} |f|-g {:+7.2} z {:.3} vx {:+.2} vz {:+.2} | pelz {:.4} ahead {:+.3} reach {:.3} | alpha {:+6.1} aw {:+6.2} |fs| {:6.1}", t-ic, (t-ic)/(tc-ic), deg(a.pitch.v), a.pitch.d, kin.omega.norm(), f.norm()-9.80665, pose.origin[2].v, pose.origin[0].d, pose.origin[2].d, pel.origin[2].v, -d[0], (d[0]*d[0]+d[1]*d[1]).sqrt()/(subject.thigh_m()+subject.shank_m()), deg(alpha), -sk.omega.y, fs.norm());
        t += if (t-ic) > -0.02 && (t-ic) < 0.05 { 0.004 } else { 0.010 };
    }
}
