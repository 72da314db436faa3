//! The way to the account: the guard before it, and every way in which it can be barred.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::emulator::{Call, Emulator, free_port};
use crate::product::Shop;

const VERBS: [&[&str]; 3] = [&["plan"], &["apply", "-y"], &["destroy", "-y"]];

on_each_emulator!(the_wrong_account_is_refused_before_anything_is_read);

fn the_wrong_account_is_refused_before_anything_is_read(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account).with_variable("account", "999999999999");
    for verb in VERBS {
        let (ran, calls) = account.calls_during(|_| shop.run(verb));
        ran.fails_plainly().says(emulator.account()).says("999999999999");
        let (service, operation) = ("sts".into(), "GetCallerIdentity".into());
        let asked = Call { service, operation, names: Vec::new() };
        assert_eq!(calls, [asked], "{verb:?}");
    }
}

#[test]
fn an_endpoint_that_does_not_answer_is_named() {
    let shop = Shop::at(&format!("http://127.0.0.1:{}", free_port()));
    for verb in VERBS {
        shop.run(verb).fails_plainly().says("no answer").says("AWS_ENDPOINT_URL");
    }
}

#[test]
fn missing_credentials_are_named() {
    let shop = Shop::at("http://127.0.0.1:1")
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY");
    for verb in VERBS {
        shop.run(verb).fails_plainly().says("credentials").says("AWS_PROFILE");
    }
}

#[test]
fn a_region_that_the_shell_contradicts_is_refused() {
    let shop = Shop::at("http://127.0.0.1:1").with("AWS_REGION", "eu-west-1");
    for verb in VERBS {
        shop.run(verb).fails_plainly().says("eu-west-1").says("ap-southeast-1");
    }
}

#[test]
fn credentials_that_aws_does_not_take_are_named() {
    let aws =
        barred("InvalidClientTokenId", "The security token included in the request is invalid.");
    for verb in VERBS {
        Shop::at(&aws).run(verb).fails_plainly().says("credentials").says("InvalidClientTokenId");
    }
}

#[test]
fn a_call_that_is_denied_is_named() {
    let aws = barred("AccessDenied", "User: arn:aws:iam::123456789012:user/test is not authorized");
    for verb in VERBS {
        Shop::at(&aws).run(verb).fails_plainly().says("sts:GetCallerIdentity").says("allowed");
    }
}

#[test]
fn a_listing_that_is_denied_is_named() {
    let aws = denied_beyond_the_guard();
    for verb in VERBS {
        Shop::at(&aws).run(verb).fails_plainly().says("may not call").says("allowed");
    }
}

/// An AWS that refuses every call.
fn barred(code: &'static str, message: &'static str) -> String {
    serve(move |_| refusal(code, message))
}

/// An AWS that says who one is, and refuses the rest.
fn denied_beyond_the_guard() -> String {
    serve(|request| {
        if request.contains("Action=GetCallerIdentity") {
            let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                <GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>\
                </GetCallerIdentityResponse>";
            return answer("200 OK", "text/xml", body);
        }
        if request.contains("x-amz-target") {
            return answer(
                "400 Bad Request",
                "application/x-amz-json-1.1",
                "{\"__type\": \"AccessDeniedException\", \"message\": \"not authorized\"}",
            );
        }
        if request.contains("/ec2/aws4_request") {
            return answer(
                "403 Forbidden",
                "text/xml",
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
                <Message>You are not authorized to perform this operation.</Message></Error></Errors>\
                <RequestID>1</RequestID></Response>",
            );
        }
        refusal("AccessDenied", "not authorized")
    })
}

/// An error in the query protocol's words.
fn refusal(code: &str, message: &str) -> String {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
        <RequestId>1</RequestId></ErrorResponse>"
    );
    answer("403 Forbidden", "text/xml", &body)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Serves answers made of whole requests, for as long as the tests run; its address.
fn serve(answer: impl Fn(&str) -> String + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away before its answer is the client's affair.
            thread::spawn(move || drop(exchange(&stream, answer)));
        }
    });
    address
}

fn exchange(mut stream: &TcpStream, answer: impl Fn(&str) -> String) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        let last = line.trim().is_empty();
        request.push_str(if lower.starts_with("x-amz-target") { &lower } else { &line });
        if last {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.push_str(&String::from_utf8_lossy(&body));
    stream.write_all(answer(&request).as_bytes())
}
