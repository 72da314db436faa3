//! The system as a picture: bodies in, what stands where out. Pure; the file's bodies and the account's are drawn alike.
//!
//! ```text
//! let picture = graph::of_plan(&plan, &desired, Some(&snapshot));   // or of_desired, of_account
//! report::graph::svg(&picture)      // a whole document of its own, which may also stand inline in a page
//! report::graph::figure(&picture)   // a fragment for a page's body: the same with search and details, once a page
//! ```
//!
//! A [`Picture`] is bodies and what is marked in them; a [`Scene`] says what belongs where; a [`Layout`] gives that places
//! in pixels. Those formats that lay out by themselves start from the scene.

mod firewalls;
mod layout;
mod mark;
mod picture;
mod rows;
mod scene;
mod words;

pub use layout::{Edge, Item, Layout, Look, Rect, Way};
pub use mark::{Mark, Sign};
pub use picture::{Picture, Shown, of_account, of_desired, of_plan};
pub use scene::{
    Balancer, Door, Firewall, Fleet, Listener, Row, Rule, Scene, Store, Subnet, Target, Zone,
};
