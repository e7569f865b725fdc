//! An event pool and nothing else: listeners by name, no network.
//!
//! `cargo run --example events_pool`

use netlayers::chat::{Pool, PoolFull};

/// What the listeners share: a shop's till.
#[derive(Default)]
struct Till {
    cents: u64,
    receipts: Vec<String>,
}

fn main() -> Result<(), PoolFull> {
    // An event carries a price.
    let mut pool: Pool<Till, u64> = Pool::new();

    pool.on("sold", |_, till, cents| till.cents += cents)?;
    let printer =
        pool.on("sold", |_, till, cents| till.receipts.push(format!("{cents} cents, thank you")))?;
    pool.once("sold", |_, till, _| till.receipts.push("you are our first customer".into()))?;
    // A listener may change the pool, and emit.
    pool.on("sold", |pool, till, cents| {
        if *cents > 1000 {
            pool.emit("large sale", till, cents);
        }
    })?;
    pool.on("large sale", |_, till, cents| till.receipts.push(format!("{cents}? the bell rings")))?;

    let mut till = Till::default();
    for cents in [250, 1999] {
        let called = pool.emit("sold", &mut till, &cents);
        println!("sold for {cents}: {called} listeners were called");
    }
    pool.off("sold", printer);
    pool.emit("sold", &mut till, &100);

    assert_eq!((till.cents, till.receipts.len()), (2349, 4));
    println!("{} cents in the till", till.cents);
    till.receipts.iter().for_each(|receipt| println!("  {receipt}"));
    Ok(())
}

// Try this:
// 1. Emit "large sale" from its own listener. Why does it come to an end?
// 2. Add a listener to "sold" inside a listener of "sold". When is it called first?
// 3. Let a listener remove the one after it (`off`). Is that one still called?
