//! Route, the second stage: which model answers an intent, and which provider has it.

use clawft_types::{AgentError, Config, ErrorCode, ProviderConfig, Result};

use super::intent::Intent;

/// Where a message goes.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The model.
    pub model: &'a str,
    /// The provider that serves it.
    pub provider: &'a ProviderConfig,
    /// Its place in the configuration.
    pub at: usize,
}

/// The model that `config` names for `intent`, and the first provider from the place `from` on that
/// serves it.
///
/// # Errors
///
/// `no_provider` if none does.
pub fn choose(config: &Config, intent: Intent, from: usize) -> Result<Route<'_>> {
    let special = config
        .routes
        .iter()
        .find(|(name, _)| name == intent.as_str());
    let model = special.map_or(config.model.as_str(), |(_, model)| model);
    let mut providers = config.providers.iter().enumerate().skip(from);
    let provider = providers.find(|(_, provider)| {
        provider
            .models
            .iter()
            .any(|name| name == "*" || name == model)
    });
    match provider {
        Some((at, provider)) => Ok(Route {
            model,
            provider,
            at,
        }),
        None => Err(AgentError::new(
            ErrorCode::NoProvider,
            "no provider in config.providers serves the model {}",
            &[model],
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intent_to_model_to_provider() {
        let config = Config::parse(
            r#"{"model":"a","routes":{"question":"b","file":"c"},
                "providers":[{"name":"x","kind":"offline","models":["a"]},
                             {"name":"y","kind":"offline","models":["q","b"]}]}"#,
        )
        .unwrap();
        let name = |intent| {
            choose(&config, intent, 0).map(|route| (route.model, route.provider.name.as_str()))
        };
        assert_eq!(name(Intent::Chat).unwrap(), ("a", "x"));
        assert_eq!(name(Intent::Question).unwrap(), ("b", "y"));
        assert_eq!(name(Intent::File).unwrap_err().code, ErrorCode::NoProvider);
        let next = choose(&config, Intent::Chat, 1).unwrap_err();
        assert_eq!(next.code, ErrorCode::NoProvider);
        assert_eq!(choose(&config, Intent::Question, 1).unwrap().at, 1);
    }
}
