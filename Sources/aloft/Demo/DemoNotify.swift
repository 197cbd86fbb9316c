import Activities
import ArgumentParser
import Foundation
import Logging
import ServerTestKit
import Worker

struct DemoNotify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify", abstract: "Messages to a live mail server and an SMS carrier that breaks for a while.",
        discussion: """
            Half of the messages are mails, half SMS. The carrier answers 500 for some seconds: what cannot be sent becomes a dead
            letter, mail goes on. Then an operator redrives the dead letters, and one message's whole timeline is shown.
            Needs aiosmtpd: 'scripts/setup.sh --python' brings it.
            """)
    @Option(name: .long, help: "How many messages; half of them mails.")
    var messages: Int = 2000
    @Option(name: .long, help: "For how many seconds the carrier is broken, at least.")
    var outage: Int = 12
    @OptionGroup var logging: LogOptions

    /// Messages of one request.
    private static let batch = 100
    /// The carrier breaks when so many were accepted, or half of them.
    private static let calmMessages = 400
    private static let redrivesPerSecond = 100
    /// With more on the way than this the sender waits, so that what is seen is the outage and not a queue.
    private static let onTheWayMax = 250
    /// A message that was on its way when the carrier broke becomes a dead letter within this time.
    private static let outageMax = Duration.seconds(60)

    func validate() throws {
        guard (10...10_000).contains(messages) else { throw ValidationError("--messages: expected 10 to 10000") }
        guard (1...60).contains(outage) else { throw ValidationError("--outage: expected 1 to 60 seconds") }
    }

    /// Waits that fit into a demo: a message that cannot leave is given up after seconds, not after hours.
    private static var policy: NotificationPolicy {
        var policy = NotificationPolicy()
        policy.receiptSeconds = [Channel.sms.rawValue: 20]
        policy.breakerOpenSeconds = 0.3
        policy.breakerRampSeconds = 0.3
        policy.throttledSecondsMax = 1
        for channel in Channel.allCases {
            policy.retries[channel].baseSeconds = 0.3
            policy.retries[channel].capSeconds = 1
        }
        policy.retries[.sms].retries[SendOutcome.Class.transient.rawValue] = 1
        return policy
    }

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        guard MailSink.isAvailable else {
            throw CommandFailure("the demo's mail server is not there: run scripts/setup.sh --python")
        }
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-demo-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        let sink = try await MailSink.start()
        let stack = DevStack(
            options: .init(
                folder: folder, listen: .init(grpcPort: 0, httpPort: 0), natsPort: 0, sandboxPort: 0,
                smtpURL: "smtp://127.0.0.1:\(sink.port)", notificationPolicy: Self.policy), log: log)
        let result = await Swift.Result { try await stack.play { try await play($0, sink: sink) } }
        await sink.stop()
        try result.get()
        try? FileManager.default.removeItem(at: folder.root)
    }

    private func play(_ addresses: DevStack.Addresses, sink: MailSink) async throws {
        Terminal.line(
            "Everything is up: Postgres, nats-server, a mail server (aiosmtpd), an SMS carrier (sandbox), workers, server at "
                + "\(addresses.server.gatewayURL).")
        let office = DemoOffice(gateway: addresses.server.gatewayURL, sandbox: addresses.sandboxURL)
        let counts = DemoCounts(databaseURL: addresses.databaseURL, wanted: messages)
        defer { counts.close() }
        let began = ContinuousClock.now
        try await office.makeTemplate()
        try await send(office, counts)
        let after = try await redrive(office, counts)
        Terminal.line(
            "    \(messages) messages took \(DemoCounts.seconds(since: began)), the outage, the dead letters and the redrive included"
        )
        guard after.parked == 0, after.left == messages else {
            throw CommandFailure(
                "\(after.parked) dead letters are left, \(after.left) of \(messages) messages have left")
        }
        try await checkWorld(office, sink)
        try await DemoTimeline(addresses: addresses, office: office).show()
    }

    /// Hands the messages over, breaks the carrier in the middle, and waits until every message is over.
    private func send(_ office: DemoOffice, _ counts: DemoCounts) async throws {
        Terminal.line(
            "\n\(messages) messages through POST /v1/notifications:bulk, half mails, half SMS; counters while it goes on:"
        )
        let screen = LiveLine()
        let watching = Task { try await counts.watch(screen, every: .milliseconds(500)) }
        defer { watching.cancel() }
        let breaksAt = min(Self.calmMessages, messages / 2)
        var sent = 0
        var outage: Task<Void, any Error>?
        while sent < messages {
            let count = min(Self.batch, messages - sent)
            try await counts.until("fewer messages are on the way", seconds: 120) {
                $0.accepted - $0.ended <= Self.onTheWayMax
            }
            try await office.post(first: sent, count: count)
            sent += count
            if outage == nil, sent >= breaksAt { outage = breakCarrier(office, counts, screen) }
        }
        try await outage?.value
        try await counts.until("every message is over", seconds: 120) {
            $0.ended == $0.accepted && $0.accepted == messages
        }
        watching.cancel()
        let end = try await counts.read()
        screen.last(end.text)
        guard end.parked > 0 else { throw CommandFailure("the outage left no dead letter: try a longer --outage") }
    }

    /// The carrier is back after the outage, but not before there is something to redrive.
    private func breakCarrier(_ office: DemoOffice, _ counts: DemoCounts, _ screen: LiveLine) -> Task<Void, any Error> {
        let (seconds, wanted) = (outage, max(1, messages / 40))
        return Task {
            let began = ContinuousClock.now
            try await office.breakCarrier()
            counts.note("carrier DOWN")
            screen.event("✗ the SMS carrier answers 500 from now on")
            try await Task.sleep(for: .seconds(seconds))
            while try await counts.read().parked < wanted, ContinuousClock.now - began < Self.outageMax {
                try await Task.sleep(for: .milliseconds(200))
            }
            try await office.repairCarrier()
            counts.note("carrier up")
            screen.event("✓ the SMS carrier is back after \(DemoCounts.seconds(since: began))")
        }
    }

    /// What the operator does: looks first, then presses the button.
    private func redrive(_ office: DemoOffice, _ counts: DemoCounts) async throws -> DemoCounts.Reading {
        let preview = try await office.preview()
        Terminal.line("\nthe operator looks (POST /v1/redrives, dry_run): \(preview)")
        let job = try await office.redrive(perSecond: Self.redrivesPerSecond)
        Terminal.line("and redrives them, \(Self.redrivesPerSecond) a second (POST /v1/redrives): job \(job)")
        let screen = LiveLine()
        let watching = Task { try await counts.watch(screen, every: .milliseconds(500)) }
        defer { watching.cancel() }
        try await counts.until("the dead letters are gone", seconds: 120) {
            $0.parked == 0 && $0.left == messages && $0.ended == messages
        }
        watching.cancel()
        let end = try await counts.read()
        screen.last(end.text)
        return end
    }

    /// What the outside world has seen: each message once.
    private func checkWorld(_ office: DemoOffice, _ sink: MailSink) async throws {
        let mails = try sink.lines("message").compactMap(\.messageID)
        let texts = try await office.effects("sms.sent")
        Terminal.line(
            "\nthe mail server has \(mails.count) mails with \(Set(mails).count) Message-IDs; the carrier has \(texts.count) SMS with "
                + "\(Set(texts).count) references")
        let half = messages / 2
        guard Set(mails).count == messages - half, Set(texts).count == half, texts.count == half else {
            throw CommandFailure("a message is missing or was sent twice")
        }
        Terminal.line(
            mails.count == messages - half
                ? "each message once."
                : "each message once, but for copies of mails whose answer was lost: SMTP knows them by their Message-ID only."
        )
    }
}

/// One line that is rewritten on a terminal; anywhere else a line now and then.
final class LiveLine: Sendable {
    private let isTerminal = isatty(1) == 1
    private let state = LockedLine()

    /// Between two lines in a file.
    private static let pause = Duration.seconds(2)

    func show(_ text: String) {
        if isTerminal {
            FileHandle.standardOutput.write(Data("\r\u{1B}[K    \(text)".utf8))
        } else if state.isDue(after: Self.pause) {
            Terminal.line("    \(text)")
        }
    }

    /// Something that happened: a line of its own.
    func event(_ text: String) {
        if isTerminal { FileHandle.standardOutput.write(Data("\r\u{1B}[K".utf8)) }
        Terminal.line("    \(text)")
    }

    func last(_ text: String) { event(text) }
}
