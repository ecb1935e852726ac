//! HTTP/1.1: shapes of requests, where the replies to requests end, and what they say.

mod message;
mod replies;
mod requests;
mod shapes;

pub(crate) use replies::Replies;
pub(crate) use requests::Requests;
pub(crate) use shapes::{Target, shapes};
