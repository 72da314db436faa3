//! What AWS, and this tool, take as a name, a block of addresses, a type of machine. Each test looks at one string.

use ipnet::Ipv4Net;

use super::regions;
use super::shape::Flaw;
use super::suggest;

type Tested = Result<(), Flaw>;

fn test(good: bool, message: String, wanted: &'static str) -> Tested {
    if good { Ok(()) } else { Err(Flaw { message, wanted, hint: None }) }
}

fn hinted(flaw: Tested, hint: Option<String>) -> Tested {
    flaw.map_err(|flaw| Flaw { hint, ..flaw })
}

/// Letters of one sort, digits and hyphens; no hyphen at either end.
fn hyphenated(text: &str, letter: impl Fn(char) -> bool) -> bool {
    text.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '-')
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Letters, digits and underscores, a letter first.
fn identifier(text: &str, longest: usize) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= longest
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub fn any(_: &str) -> Tested {
    Ok(())
}

/// The name of a block, and of the topology: part of addresses, of tags, and of names that AWS has to take.
pub fn key(text: &str) -> Tested {
    let good = hyphenated(text, |c| c.is_ascii_lowercase())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.contains("--")
        && text.len() <= 63;
    let wanted = "lower-case letters, digits and single hyphens, a letter first, at most 63";
    test(good, format!("`{text}` can't be a name"), wanted)
}

/// A block with its key, or a resource.
pub fn address(text: &str) -> Tested {
    let good = text.split_once('.').is_some_and(|(kind, name)| {
        identifier(kind, 63) && !name.is_empty() && !name.contains(char::is_whitespace)
    });
    let wanted = "a kind, a dot and a name: `service.user`, `instance.user-1`";
    test(good, format!("`{text}` is not an address"), wanted)
}

/// The name of a variable, as it stands in `${var.NAME}`.
pub fn variable(text: &str) -> Tested {
    let message = format!("`{text}` can't be the name of a variable");
    test(identifier(text, 63), message, "letters, digits and underscores, a letter first")
}

pub fn account(text: &str) -> Tested {
    let message = format!("`{text}` is not an AWS account");
    test(digits(text) && text.len() == 12, message, "an account number has 12 digits")
}

pub fn region(text: &str) -> Tested {
    let known = regions::REGIONS.iter().map(|(name, _)| *name);
    let flaw = test(
        known.clone().any(|name| name == text),
        format!("AWS has no region `{text}`"),
        "not a region",
    );
    hinted(flaw, suggest::hint(text, known))
}

pub fn cidr(text: &str) -> Tested {
    let message = format!("`{text}` is not a CIDR block");
    let wanted = "an IPv4 block looks like `10.0.0.0/16`";
    match text.parse::<Ipv4Net>() {
        Ok(net) if net.addr() != net.network() => Err(Flaw {
            message: format!("`{text}` has bits set behind its prefix"),
            wanted: "AWS wants the first address of the block",
            hint: Some(format!("did you mean `{}`?", net.trunc())),
        }),
        Ok(_) => Ok(()),
        Err(_) if text.parse::<std::net::Ipv4Addr>().is_ok() => {
            hinted(test(false, message, wanted), Some(format!("for this one address: `{text}/32`")))
        }
        Err(_) => test(false, message, wanted),
    }
}

/// The block of a VPC or subnet.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
pub fn network(text: &str) -> Tested {
    let hint = format!("did you mean `{text}/24`?");
    cidr(text).map_err(|flaw| {
        if text.contains('/') { flaw } else { Flaw { hint: Some(hint), ..flaw } }
    })?;
    let fits = text.parse::<Ipv4Net>().is_ok_and(|net| (16..=28).contains(&net.prefix_len()));
    let message = format!("`{text}` has a size that AWS does not take");
    test(fits, message, "a VPC or subnet has a prefix of /16 to /28")
}

/// The other side of a security-group rule: a block, or the name of a group (known only to the whole file).
pub fn peer(text: &str) -> Tested {
    if is_address(text) { cidr(text) } else { key(text) }
}

/// Whether a rule's other side means addresses rather than a group.
pub fn is_address(text: &str) -> bool {
    text.contains(['/', '.', ':']) || text.starts_with(|c: char| c.is_ascii_digit())
}

/// A range of ports, `8000-8100`.
pub fn ports(text: &str) -> Tested {
    let message = format!("`{text}` is not a range of ports");
    test(port_range(text).is_some(), message, "a range looks like `8000-8100`")
}

pub fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

/// `CreateLoadBalancer`, `Name`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
pub fn load_balancer_name(text: &str) -> Tested {
    let good = target_group_name(text) && !text.starts_with("internal-");
    let wanted =
        "up to 32 letters, digits and hyphens, none at either end, not beginning `internal-`";
    test(good, format!("AWS does not take `{text}` as a load balancer's name"), wanted)
}

/// `CreateTargetGroup`, `Name`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
pub fn target_group_name(text: &str) -> bool {
    hyphenated(text, |c| c.is_ascii_alphabetic()) && text.len() <= 32
}

/// `CreateSecurityGroup`, `GroupName`; `default` is the VPC's own group.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
pub fn security_group_name(text: &str) -> Tested {
    security_group_description(text)?;
    let good =
        !text.is_empty() && !text.starts_with("sg-") && !text.eq_ignore_ascii_case("default");
    let message = format!("AWS does not take `{text}` as a security group's name");
    test(good, message, "it can't be empty or `default`, nor begin with `sg-`")
}

/// `CreateSecurityGroup`, `GroupDescription`.
pub fn security_group_description(text: &str) -> Tested {
    let good = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let wanted = "up to 255 of: a-z A-Z 0-9, space, ._-:/()#,@[]+=&;{}!$*";
    let message = "AWS does not take this text for a security group".to_owned();
    test(text.chars().all(good) && text.len() <= 255, message, wanted)
}

/// A path that a rule sends on. `PathPatternConfig`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>
pub fn route_path(text: &str) -> Tested {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.$/~\"'@:+&*?".contains(c);
    let wanted = "it begins with `/` and has up to 128 of: a-z A-Z 0-9 _-.$/~\"'@:+&*?";
    let fits = text.starts_with('/') && text.chars().all(good) && text.len() <= 128;
    hinted(
        test(fits, format!("`{text}` is not a path"), wanted),
        (!text.starts_with('/')).then(|| format!("did you mean `/{text}`?")),
    )
}

/// `CreateTargetGroup`, `HealthCheckPath`.
pub fn health_path(text: &str) -> Tested {
    let fits = text.starts_with('/') && text.len() <= 1024 && !text.contains(' ');
    hinted(
        test(
            fits,
            format!("`{text}` is not a path"),
            "it begins with `/` and has up to 1024 characters",
        ),
        (!text.starts_with('/')).then(|| format!("did you mean `/{text}`?")),
    )
}

/// What a service uses: `database.NAME` or `cache.NAME`.
pub fn uses(text: &str) -> Tested {
    let good =
        matches!(text.split_once('.'), Some(("database" | "cache", name)) if !name.is_empty());
    let name = text.split_once('.').map_or(text, |(_, name)| name);
    let hint =
        format!("PostgreSQL is a database, Redis a cache: `database.{name}`, `cache.{name}`");
    hinted(
        test(
            good,
            format!("`{text}` is nothing a service can use"),
            "`database.NAME` or `cache.NAME`",
        ),
        Some(hint),
    )
}

pub fn ami(text: &str) -> Tested {
    let hex = text.strip_prefix("ami-").unwrap_or_default();
    let good = matches!(hex.len(), 8 | 17) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hint =
        text.starts_with('/').then(|| format!("for an SSM parameter: {{ ssm = \"{text}\" }}"));
    hinted(
        test(good, format!("`{text}` is not an AMI"), "an AMI looks like `ami-0123456789abcdef0`"),
        hint,
    )
}

pub fn ssm_path(text: &str) -> Tested {
    let good = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let fits = text.starts_with('/') && text.chars().all(good);
    test(fits, format!("`{text}` is not an SSM parameter"), "a path that begins with `/`")
}

pub fn key_name(text: &str) -> Tested {
    let fits = (1..=255).contains(&text.len()) && text.is_ascii();
    test(fits, "this is not the name of a key pair".to_owned(), "1 to 255 ASCII characters")
}

/// A zone by its letter or in full; which there are depends on the region.
pub fn zone(text: &str) -> Tested {
    let letter = text.chars().next_back().is_some_and(|c| c.is_ascii_lowercase());
    test(letter, format!("`{text}` is not a zone"), "a letter, or the zone's full name")
}

/// `16`, `16.3`, `7.1`.
pub fn version(text: &str) -> Tested {
    let good = text.split('.').all(|part| digits(part) || part == "x");
    test(good, format!("`{text}` is not a version"), "numbers with dots between them")
}

/// A domain, or the name of a zone; no dot at its end.
pub fn domain(text: &str) -> Tested {
    let label = |label: &str| hyphenated(label, |c| c.is_ascii_lowercase()) && label.len() <= 63;
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let good = bare.contains('.') && bare.split('.').all(label) && text.len() <= 253;
    test(good, format!("`{text}` is not a domain"), "a domain looks like `shop.example.com`")
}

pub fn certificate_arn(text: &str) -> Tested {
    let good =
        text.starts_with("arn:aws") && text.contains(":acm:") && text.contains(":certificate/");
    let wanted = "`arn:aws:acm:REGION:ACCOUNT:certificate/ID`";
    test(good, format!("`{text}` is not the ARN of a certificate"), wanted)
}
