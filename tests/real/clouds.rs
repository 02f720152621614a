//! A login with each form of `clouds.yaml`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use crate::contract::ApplicationCredentialKey;
use crate::daemon::{Settings, run};
use crate::scene::Scene;

/// A directory of this test with these files, for their owner only.
fn directory(form: &str, files: &[(&str, String)]) -> PathBuf {
    let name = format!("clouds-{}-{form}", std::process::id());
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).join("openstack");
    fs::create_dir_all(&directory).unwrap();
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
        fs::set_permissions(directory.join(name), Permissions::from_mode(0o600)).unwrap();
    }
    directory
}

/// The scene's settings without any login.
fn without_login(scene: &Scene) -> Settings {
    let names =
        scene.cloud.openrc.variables().map(|(name, _)| name).filter(|name| name.starts_with("OS_"));
    names.fold(scene.settings(), Settings::without)
}

/// What a form is called, and its files.
type Form = (&'static str, Vec<(&'static str, String)>);

/// Files with a user and a password.
fn with_passwords(scene: &Scene) -> Vec<Form> {
    let openrc = &scene.cloud.openrc;
    let (url, region) = (openrc.get("OS_AUTH_URL"), openrc.get("OS_REGION_NAME"));
    let (user, password) = (openrc.get("OS_USERNAME"), openrc.get("OS_PASSWORD"));
    let project = openrc.get("OS_PROJECT_NAME");
    let project_id = scene.cloud.member.project().0.clone();
    let auth = format!("auth_url: {url}, username: {user}");
    vec![
        (
            "project-by-name",
            vec![(
                "clouds.yaml",
                format!(
                    "clouds:\n  real:\n    auth: {{{auth}, password: {password}, project_name: {project}, domain_name: \
                 Default}}\n    region_name: {region}\n    interface: public\n    identity_api_version: 3\n"
                ),
            )],
        ),
        (
            "project-by-id",
            vec![(
                "clouds.yml",
                format!(
                    "clouds: {{real: {{auth: {{{auth}, password: {password}, project_id: {project_id}}}}}}}"
                ),
            )],
        ),
        (
            "json",
            vec![(
                "clouds.json",
                json!({"clouds": {"real": {"auth": {
                "auth_url": url, "username": user, "password": password, "project_id": project_id,
                "user_domain_name": "Default"}, "regions": [region]}}})
                .to_string(),
            )],
        ),
        (
            "secure",
            vec![
                (
                    "clouds.yaml",
                    format!("clouds: {{real: {{auth: {{{auth}, project_id: {project_id}}}}}}}"),
                ),
                ("secure.yaml", format!("clouds: {{real: {{auth: {{password: {password}}}}}}}")),
            ],
        ),
        (
            "profile",
            vec![
                (
                    "clouds.yaml",
                    format!(
                        "base: &base {{auth: {{username: {user}, password: {password}, project_id: {project_id}}}}}\n\
                     clouds: {{real: {{<<: *base, profile: shop}}}}"
                    ),
                ),
                (
                    "clouds-public.yaml",
                    format!(
                        "public-clouds: {{shop: {{auth: {{auth_url: {url}}}, regions: [{{name: {region}, values: \
                     {{interface: public}}}}]}}}}"
                    ),
                ),
            ],
        ),
    ]
}

/// Files with an application credential.
fn with_application_credentials(scene: &Scene, key: &ApplicationCredentialKey) -> [Form; 2] {
    let openrc = &scene.cloud.openrc;
    let (url, user) = (openrc.get("OS_AUTH_URL"), openrc.get("OS_USERNAME"));
    let (id, name, secret) = (&key.id, &key.name, key.secret.expose());
    let auth = format!("auth_url: {url}, username: {user}");
    [
        (
            "application-credential-by-id",
            vec![(
                "clouds.yaml",
                format!(
                    "clouds: {{real: {{auth_type: v3applicationcredential, auth: {{auth_url: {url}, \
                 application_credential_id: {id}, application_credential_secret: {secret:?}}}}}}}"
                ),
            )],
        ),
        (
            "application-credential-by-name",
            vec![(
                "clouds.yaml",
                format!(
                    "clouds: {{real: {{auth: {{{auth}, user_domain_name: Default, application_credential_name: {name}, \
                 application_credential_secret: {secret:?}}}}}}}"
                ),
            )],
        ),
    ]
}

#[test]
fn each_form_of_a_clouds_file_logs_in() {
    let scene = Scene::open();
    let password = scene.cloud.openrc.get("OS_PASSWORD");
    let project_id = scene.cloud.member.project().0.clone();
    let rules = include_str!("../../contrib/access-rules.json");
    let key = scene.cloud.add_application_credential(&serde_json::from_str(rules).unwrap());
    let secret = key.secret.expose();
    let forms =
        with_passwords(&scene).into_iter().chain(with_application_credentials(&scene, &key));
    for (form, files) in forms {
        let directory = directory(form, &files);
        let settings = without_login(&scene)
            .with("OS_CLOUD", "real")
            .with("XDG_CONFIG_HOME", directory.parent().unwrap().to_str().unwrap());
        let ran = run(&["--check"], &settings);
        ran.expect_line(&["login", "project", &project_id]);
        ran.expect_line(&["OS_CLOUD", "cloud \"real\" of", directory.to_str().unwrap()]);
        ran.expect_status(0);
        assert!(
            !ran.output().contains(password) && !ran.output().contains(secret),
            "{form}\n{ran}"
        );
    }
}
