use super::*;
use crate::model::units::deg;
use crate::model::*;
#[test]
fn explore() {
    let mut sub = Subject::reference();
    sub.variability = std::env::var("VAR").ok().and_then(|x| x.parse().ok()).unwrap_or(1.0);
    for v in [1.0, 1.4, 1.8, 2.2, 2.5, 3.0, 3.3, 4.0, 4.5, 5.5, 6.5] {
      for strike in [11.0_f64, -8.0, 2.0, 20.0] {
        if v < 2.0 && strike != 11.0 { continue; }
        sub.strike_rad = strike.to_radians();
        let script = if v < 1.95 { Script::new().stand(3.0).walk(30.0, v).stop(6.0) } else { Script::new().stand(3.0).run(30.0, v).stop(12.0) };
        let sim = Simulation::new(SimConfig { subject: sub.clone(), script, placements: Placement::ALL.to_vec(), ranges: Ranges{acc_g:[200.0;3],gyro_dps:[4000.0;3]}, ..SimConfig::default() });
        let tr = sim.truth(0.0);
        let st: Vec<_> = tr.strides.iter().filter(|s| s.ic.secs() > 18.0 && s.ic.secs() < 30.0).collect();
        let med = |f: &dyn Fn(&TrueStride) -> f64| { let mut x: Vec<f64> = st.iter().map(|s| f(s)).collect(); x.sort_by(f64::total_cmp); x[x.len()/2] };
        let sp = sim.spec(Placement::LeftFoot);
        let mut peak = 0.0f64; let mut wpk=0.0f64; let mut skpk = 0.0f64;
        for s in sim.samples(Placement::LeftFoot) { let x = sp.sample(&s); if x.t.secs()>18.0 && x.t.secs()<30.0 {peak = peak.max(x.acc.norm()); wpk = wpk.max(-x.gyro.v.y);} }
        for s in sim.samples(Placement::LeftShank) { let x = sim.spec(Placement::LeftShank).sample(&s); if x.t.secs()>18.0 && x.t.secs()<30.0 {skpk = skpk.max(x.acc.norm());} }
        // mid-stance specifics
        let id: Vec<_> = sim.ideal(Placement::LeftFoot, 1000.0).collect();
        let idp: Vec<_> = sim.ideal(Placement::Sacrum, 1000.0).collect();
        let mut pmin=9.0f64; for p in &idp { if p.t_s>18.0&&p.t_s<30.0 { pmin = pmin.min(p.position[2]); } }
        let mut wm = vec![]; let mut fm = vec![]; let mut icmin = vec![]; let mut tcmin = vec![]; let mut tilt=vec![];
        for s in st.iter().filter(|s| s.side == Side::Left) {
            let i = (s.m.secs()*1000.0).round() as usize; let x = &id[i];
            wm.push((x.gyro[0].powi(2)+x.gyro[1].powi(2)+x.gyro[2].powi(2)).sqrt());
            let f = (x.acc[0].powi(2)+x.acc[1].powi(2)+x.acc[2].powi(2)).sqrt(); fm.push(f-9.80665);
            let r = &x.level_from_sensor; let up = (r[2][0]*x.acc[0]+r[2][1]*x.acc[1]+r[2][2]*x.acc[2])/f; tilt.push(up.acos().to_degrees());
            let rate = |k: usize| -id[k].gyro[1];
            let (a,b,c) = ((s.ic.secs()*1000.0) as usize, (s.tc.secs()*1000.0) as usize, i);
            let lo = (a-200..c).min_by(|p,q| rate(*p).total_cmp(&rate(*q))).unwrap(); icmin.push(lo as f64 - s.ic.secs()*1000.0);
            let lo = (c..b+120).min_by(|p,q| rate(*p).total_cmp(&rate(*q))).unwrap(); tcmin.push(lo as f64 - s.tc.secs()*1000.0);
        }
        let m = |v: &mut Vec<f64>| { v.sort_by(f64::total_cmp); v[v.len()/2] };
        println!("v {v:.1} st {strike:+.0} {:?} n{} len {:.3} spd {:.2} cad {:.0} ct {:.3} ft {:+.3} | FSA {:+.1} ic {:+.1} m {:+.1} |w|m {:.2} f-g {:+.2} dir {:.0} icmin {:+.1} tcmin {:+.1} | shank {:+.1} reach {:.3} td {:.2} inv {:.1} toe {:.1} | VO {:.4}/{:.4} model {:?} tilt {:.1} rg {:.1} ob {:.1} rot {:.1} drop {:.1} br {:.2} dv {:.2} | pk {:.0} w {:.1} sk {:.0} pmin {:.2}", st[3].activity, st.len(), med(&|s| s.length), med(&|s| s.speed), med(&|s| s.cadence), med(&|s| s.contact_time), med(&|s| s.flight_time.unwrap_or(9.0)), deg(med(&|s| s.foot_strike_angle)), deg(med(&|s| s.foot_pitch_ic)), deg(med(&|s| s.foot_pitch_m)), m(&mut wm), m(&mut fm), m(&mut tilt), m(&mut icmin), m(&mut tcmin), deg(med(&|s| s.shank_angle_ic_from_standing)), med(&|s| s.overstride), med(&|s| s.touchdown_speed), deg(med(&|s| s.inversion_range)), deg(med(&|s| s.toe_out)), med(&|s| s.pelvis.oscillation), med(&|s| s.pelvis.oscillation_at_sensor), st[3].spring.map(|s| (s.oscillation_m*1e4).round()), deg(med(&|s| s.pelvis.tilt_mean)), deg(med(&|s| s.pelvis.tilt_range)), deg(med(&|s| s.pelvis.obliquity_range)), deg(med(&|s| s.pelvis.rotation_range)), deg(med(&|s| s.pelvis.drop)), med(&|s| s.pelvis.braking_peak), med(&|s| s.pelvis.braking_dv), peak, wpk, skpk, pmin);
      }
    }
    let t0 = std::time::Instant::now();
    let sim = Simulation::new(presets::demo());
    println!("plan {:?} dur {}", t0.elapsed(), sim.duration_s());
    let n: usize = sim.config().placements.iter().map(|&p| sim.samples(p).count()).sum();
    println!("samples {n} {:?}", t0.elapsed());
    let n = sim.packets().count(); println!("packets {n} {:?}", t0.elapsed());
    let n = sim.events().count(); println!("events {n} {:?}", t0.elapsed());
    let tr = sim.truth(100.0); println!("truth {} strides {:?}", tr.strides.len(), t0.elapsed());
}
