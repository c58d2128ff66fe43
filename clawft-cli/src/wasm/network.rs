//! What of the network the component gets: its providers, with their keys added on the way.

use crate::keys::{Header, Keys, is_below};
use bytes::Bytes;
use clawft_wasm::machine::Credential;
use http_body_util::{BodyExt as _, Full, Limited};
use std::sync::Arc;
use ureq::http::{HeaderName, HeaderValue, Request, Response};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks, default_send_request,
};

/// Bytes of an error's body that are handed on.
const ERROR_BODY: usize = 64 * 1024;

/// Headers that have keys: the component cannot set them itself.
const KEYS: [&str; 2] = ["authorization", "x-api-key"];

/// The providers' addresses and keys.
pub(super) struct Network {
    keys: Keys,
    addresses: Vec<(String, Option<Credential>)>,
}

/// What is known once the whole of a body has been handed on.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Network {
    pub(super) fn new(keys: Keys, addresses: Vec<(String, Option<Credential>)>) -> Network {
        Network { keys, addresses }
    }

    /// `text` without any key that has been used.
    pub(super) fn without(&self, text: &str) -> String {
        self.keys.without(text)
    }

    /// The header with the key for `url`, if its provider has one.
    fn header(&mut self, url: &str) -> Result<Option<Header>, Error> {
        let mut addresses = self.addresses.iter();
        let address = addresses.find(|(base_url, _)| is_below(url, base_url));
        let (_, credential) = address.ok_or(Error::HttpRequestDenied)?;
        let wanted = credential.as_ref();
        let header = wanted.map(|wanted| self.keys.header(wanted, url));
        header
            .transpose()
            .map_err(|why| Error::InternalError(Some(why)))
    }
}

impl WasiHttpHooks for Network {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| {
            DEFAULT_FORBIDDEN_HEADERS.contains(name) || KEYS.contains(&name.as_str())
        })
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Rest), Error>> + Send> {
        let header = self.header(&request.uri().to_string());
        Box::new(async move {
            let header = header?;
            if let Some(header) = &header {
                let value = HeaderValue::from_str(&header.value());
                let mut value = value.map_err(|_| Error::ConfigurationError)?;
                value.set_sensitive(true);
                request.headers_mut().insert(header.name, value);
            }
            let (response, rest) = default_send_request(request, options).await?;
            let rest: Rest = Box::new(rest);
            let Some(header) = header.filter(|_| response.status().as_u16() >= 300) else {
                return Ok((response.map(|body| body.boxed_unsync()), rest));
            };
            let (mut head, body) = response.into_parts();
            // The connection gives the body while it runs.
            let connection =
                wasmtime_wasi::runtime::spawn(async move { Box::into_pin(rest).await });
            let body = Limited::new(body, ERROR_BODY).collect().await;
            let body = body
                .map_err(|_| Error::HttpResponseBodySize(None))?
                .to_bytes();
            let text = header.without(&String::from_utf8_lossy(&body));
            head.headers.remove("content-length");
            let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
            let body = body.boxed_unsync();
            let done: Rest = Box::new(async move {
                drop(connection);
                Ok(())
            });
            Ok((Response::from_parts(head, body), done))
        })
    }
}
