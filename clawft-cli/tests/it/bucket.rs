//! Segments in an object store: the same as in a folder, whatever the network does. Another store
//! than the one of these tests is tried by hand: `docs/bundle.md` has how.

use crate::support::s3::{Fault, S3};
use clawft_cli::serve::store::{Put, Store};
use std::sync::Barrier;

fn names(store: &Store) -> Vec<String> {
    let entries = store.list("s").unwrap().into_iter();
    entries
        .map(|one| format!("{}/{}", one.folder, one.name))
        .collect()
}

#[test]
fn objects_are_made_once_read_listed_and_removed() {
    let s3 = S3::start();
    let store = s3.store().unwrap();
    assert_eq!(store.list("s").unwrap(), []);
    let all: Vec<_> = (1..=5).map(|n| format!("{n:016x}")).collect();
    for name in &all {
        assert_eq!(
            store.create(&["s", "d", name], name.as_bytes()).unwrap(),
            Put::Created
        );
    }
    assert_eq!(
        store.create(&["s", "d", &all[0]], b"other").unwrap(),
        Put::WasThere
    );
    store.create(&["s", "token"], b"t").unwrap();
    store.create(&["t", "d", "x"], b"of another space").unwrap();
    assert_eq!(
        store.read(&["s", "d", &all[0]]).unwrap().unwrap(),
        all[0].as_bytes()
    );
    assert_eq!(store.read(&["s", "d", "none"]).unwrap(), None);
    // In pages.
    assert_eq!(
        names(&store),
        all.iter()
            .map(|name| format!("d/{name}"))
            .collect::<Vec<_>>()
    );
    let entry = &store.list("s").unwrap()[0];
    assert!(
        store
            .modified("s", entry)
            .unwrap()
            .elapsed()
            .unwrap_or_default()
            .as_secs()
            < 900
    );
    store.remove(&["s", "d", &all[0]]).unwrap();
    store.remove(&["s", "d", &all[0]]).unwrap();
    assert_eq!(names(&store).len(), 4);
    assert!(
        s3.names()
            .iter()
            .all(|name| name.starts_with("some/prefix/")),
        "{:?}",
        s3.names()
    );
}

/// Protects every device's segments: of many that write one, one does, in every store.
#[test]
fn of_many_at_once_one_makes_it() {
    let s3 = S3::start();
    one_of_many(&s3.store().unwrap());
    let folder = tempfile::tempdir().unwrap();
    one_of_many(&Store::open(&format!("file:{}/a/b", folder.path().display())).unwrap());
    let left = std::fs::read_dir(folder.path().join("a/b/s/d")).unwrap();
    assert_eq!(left.count(), 1, "nothing is left of the others");
}

fn one_of_many(store: &Store) {
    let barrier = Barrier::new(8);
    let puts: Vec<_> = std::thread::scope(|scope| {
        let writers = (0_u8..8).map(|n| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                (n, store.create(&["s", "d", "1"], &[n; 1000]).unwrap())
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let made = puts.iter().filter(|(_, put)| *put == Put::Created);
    let made: Vec<_> = made.collect();
    assert_eq!(made.len(), 1, "{puts:?}");
    let is = store.read(&["s", "d", "1"]).unwrap().unwrap();
    assert_eq!(is, [made[0].0; 1000]);
}

#[test]
fn a_store_that_fails_is_asked_again() {
    let s3 = S3::start();
    let store = s3.store().unwrap();
    s3.fail(&[Fault::Unavailable, Fault::Unavailable]);
    assert_eq!(
        store.create(&["s", "d", "1"], b"one").unwrap(),
        Put::Created
    );
    s3.fail(&[Fault::Lost]);
    assert_eq!(
        store.create(&["s", "d", "2"], b"two").unwrap(),
        Put::WasThere
    );
    assert_eq!(store.read(&["s", "d", "2"]).unwrap().unwrap(), b"two");
    let before = s3.seen().len();
    s3.fail(&[Fault::Unavailable; 9]);
    let error = store
        .create(&["s", "d", "3"], b"three")
        .unwrap_err()
        .to_string();
    assert!(error.contains("503: SlowDown"), "{error}");
    assert_eq!(s3.seen().len() - before, 4, "it comes to an end");
    s3.fail(&[]);
    assert_eq!(store.read(&["s", "d", "3"]).unwrap(), None);
}

#[test]
fn a_store_that_cannot_be_used_is_refused_when_it_is_opened() {
    let s3 = S3::start();
    s3.write_over();
    let error = s3.store().unwrap_err().to_string();
    assert!(error.contains("writes over what is there"), "{error}");
    let s3 = S3::start();
    let with = |name: &'static str, other: &'static str| {
        let variables = s3.variables();
        move |asked: &str| {
            let found = variables.iter().find(|(known, _)| *known == asked);
            let value = found.map(|(_, value)| value.clone());
            if asked == name {
                Some(other.to_owned())
            } else {
                value
            }
        }
    };
    let wrong = with("AWS_SECRET_ACCESS_KEY", "another secret");
    let error = Store::open_with("s3://bucket", &wrong)
        .unwrap_err()
        .to_string();
    assert!(error.contains("403: SignatureDoesNotMatch"), "{error}");
    assert!(!error.contains("another secret"), "{error}");
    let right = with("", "");
    let error = Store::open_with("s3://other", &right)
        .unwrap_err()
        .to_string();
    assert!(error.contains("404: NoSuchBucket"), "{error}");
}
