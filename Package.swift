// swift-tools-version: 6.2
import PackageDescription

// One package, many small targets; docs/architecture.md says what each is for and which arrows are allowed.
//
// Fast loops: `ALOFT_ONLY=EngineTests swift test --scratch-path /tmp/b` keeps only that target and what it needs.

let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
let pure = common + [.strictMemorySafety()]
// Generated protobuf code does not know the upcoming features; it is never edited.
let generated: [SwiftSetting] = [.swiftLanguageMode(.v6)]

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcNIO: Target.Dependency = .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "_CryptoExtras", package: "swift-crypto")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let everyTarget: [Target] = [
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CNats", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),

    // The pure core.
    .target(name: "History", swiftSettings: pure),
    .target(name: "Engine", dependencies: ["History"], swiftSettings: pure),
    .target(name: "Replay", dependencies: ["History"], swiftSettings: pure),

    // The wire.
    .target(name: "TemporalAPI", dependencies: [protobuf], exclude: ["Protos"], swiftSettings: generated),
    .target(name: "TemporalCodec", dependencies: ["TemporalAPI", "History", protobuf], swiftSettings: common),

    // The shells.
    .target(name: "Postgres", dependencies: ["CLibpq", logging], swiftSettings: common),
    .target(name: "Messaging", dependencies: ["CNats", logging], swiftSettings: common),
    .target(name: "Runtime", dependencies: ["Engine", "History", logging], swiftSettings: common),
    .target(name: "Store", dependencies: ["Runtime", "History", "Engine", "Postgres", logging], swiftSettings: common),
    .target(
        name: "Gateway",
        dependencies: [
            "CZlib", "Runtime", "Engine", "History", "TemporalAPI", "TemporalCodec", protobuf, logging, hummingbird,
            crypto, nio("NIOCore"), nio("NIOPosix"), nioHTTP2, nioHPACK, nioSSL,
        ], swiftSettings: common),
    .target(
        name: "Worker",
        dependencies: [
            "Replay", "History", "TemporalAPI", "TemporalCodec", protobuf, logging, grpcCore, grpcNIO, crypto,
        ], swiftSettings: common),

    // The engine in the test's own process, with a clock that jumps (docs/decisions/0015).
    .target(
        name: "WorkerTesting",
        dependencies: [
            "Worker", "Gateway", "Runtime", "Engine", "History", "Replay", "TemporalCodec", "EngineTestKit", logging,
        ], swiftSettings: common),

    // Judging and steering rollouts, as values.
    .target(name: "Rollouts", dependencies: ["History"], swiftSettings: pure),

    // The families.
    .target(
        name: "Activities",
        dependencies: [
            "CCurl", "Worker", "Engine", "Postgres", logging, httpClient, crypto, cryptoExtras, mustache,
            nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
        ],
        swiftSettings: common),
    // For senders: hands notifications over without ever holding its caller up.
    .target(
        name: "NotifyClient", dependencies: [logging, httpClient, nio("NIOCore"), nio("NIOHTTP1")],
        swiftSettings: common),
    .target(name: "Workflows", dependencies: ["Worker", "Activities", logging], swiftSettings: common),
    .target(
        name: "Sandbox", dependencies: [logging, hummingbird, httpClient, crypto, nio("NIOCore"), nio("NIOHTTP1")],
        swiftSettings: common),
    .executableTarget(
        name: "aloft",
        dependencies: [
            "History", "Engine", "Replay", "TemporalAPI", "TemporalCodec", "Postgres", "Messaging", "Runtime", "Store",
            "Gateway",
            "Worker", "Activities", "Workflows", "Sandbox", "ServerTestKit", logging, arguments, protobuf, hummingbird,
            httpClient, nio("NIOCore"),
        ], swiftSettings: common),

    // Drives one run by commands: seeded generator, simulated clock, history checker.
    .target(name: "RunTestKit", dependencies: ["Engine", "History"], path: "Tests/RunTestKit", swiftSettings: common),
    // Prints the digest of many seeded runs; a test compares two processes.
    .executableTarget(
        name: "replay-digest", dependencies: ["RunTestKit"], path: "Tests/ReplayDigest", swiftSettings: common),
    // Store, broker, clock and encoder in memory, for everything that drives a whole Runtime.
    .target(
        name: "EngineTestKit", dependencies: ["Engine", "History", "Runtime", "RunTestKit"],
        path: "Tests/EngineTestKit",
        swiftSettings: common),
    .testTarget(name: "HistoryTests", dependencies: ["History"], swiftSettings: common),
    .testTarget(
        name: "EngineTests", dependencies: ["Engine", "History", "RunTestKit", "replay-digest"], swiftSettings: common),
    .testTarget(name: "ReplayTests", dependencies: ["Replay", "History"], swiftSettings: common),
    .testTarget(
        name: "TemporalCodecTests", dependencies: ["TemporalCodec", "TemporalAPI", "History", protobuf],
        swiftSettings: common),
    .testTarget(name: "PostgresTests", dependencies: ["Postgres", "ServerTestKit"], swiftSettings: common),
    .testTarget(
        name: "MessagingTests", dependencies: ["Messaging", "Runtime", "ServerTestKit"], swiftSettings: common),
    .testTarget(
        name: "RuntimeTests", dependencies: ["Runtime", "Engine", "History", "EngineTestKit"], swiftSettings: common),
    .testTarget(
        name: "StoreTests",
        dependencies: ["Store", "Runtime", "Engine", "History", "Postgres", "ServerTestKit"],
        swiftSettings: common),
    .testTarget(
        name: "GatewayTests",
        dependencies: [
            "Gateway", "Runtime", "Engine", "History", "TemporalAPI", "TemporalCodec", protobuf, grpcCore, grpcNIO,
            crypto, logging, nio("NIOCore"),
        ],
        swiftSettings: common),
    .testTarget(
        name: "WorkerTests",
        dependencies: [
            "Worker", "Replay", "History", "TemporalAPI", "TemporalCodec", protobuf, crypto, logging, grpcCore, grpcNIO,
        ], swiftSettings: common),
    // Workers on the engine in memory, and the code of Worker's documentation.
    .testTarget(
        name: "WorkerTestingTests",
        dependencies: [
            "WorkerTesting", "Worker", "History", "TemporalAPI", "TemporalCodec", "RunTestKit", protobuf, logging,
        ],
        swiftSettings: common),
    .testTarget(
        name: "PaymentTests",
        dependencies: [
            "Workflows", "Activities", "Worker", "Sandbox", "Postgres", "ServerTestKit", httpClient, logging,
            nio("NIOCore"),
            nio("NIOHTTP1"),
        ],
        swiftSettings: common),
    .testTarget(name: "RolloutTests", dependencies: ["Rollouts", "ServerTestKit"], swiftSettings: common),
    // Templates, delivery time, validation, dead letters and the gateway's endpoints of the notification family.
    .testTarget(
        name: "NotificationEdgeTests",
        dependencies: [
            "Activities", "Workflows", "Worker", "WorkerTesting", "Engine", "Postgres", "ServerTestKit", crypto,
            logging,
        ],
        swiftSettings: common),
    // Fills a queue and waits to be killed.
    .executableTarget(
        name: "notify-child", dependencies: ["NotifyClient"], path: "Tests/NotifyChild", swiftSettings: common),
    .testTarget(
        name: "NotifyClientTests", dependencies: ["NotifyClient", "ServerTestKit", "notify-child", logging],
        swiftSettings: common),
    // The payment workflows on the engine in memory, with a clock the tests move.
    .testTarget(
        name: "PaymentWorkflowTests",
        dependencies: [
            "Workflows", "Activities", "Worker", "Gateway", "Runtime", "Engine", "History", "TemporalCodec",
            "EngineTestKit", logging,
        ],
        swiftSettings: common),
    .testTarget(
        name: "NotificationTests",
        dependencies: [
            "Activities", "Worker", "Sandbox", "Postgres", "ServerTestKit", httpClient, logging, nio("NIOCore"),
            nio("NIOHTTP1"),
        ],
        swiftSettings: common),
    // The notification workflows on the engine in memory, with a clock the tests move.
    .testTarget(
        name: "NotificationWorkflowTests",
        dependencies: [
            "Workflows", "Activities", "Worker", "Gateway", "Runtime", "Engine", "History", "TemporalCodec",
            "EngineTestKit", logging,
        ],
        swiftSettings: common),
    .testTarget(
        name: "SchemaUpgradeTests",
        dependencies: ["Activities", "Worker", "Postgres", "ServerTestKit", logging], swiftSettings: common),
    // The schema upgrades' workflows on the engine in memory, with a clock that jumps.
    .testTarget(
        name: "SchemaUpgradeWorkflowTests", dependencies: ["Workflows", "Activities", "Worker", "WorkerTesting"],
        swiftSettings: common),
    // The real program as separate processes; `aloft` is listed so that it is built first.
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "aloft", "Activities", "ServerTestKit", "Postgres", "Worker", logging, httpClient, nio("NIOCore"),
            nio("NIOHTTP1"),
        ],
        swiftSettings: common),
    .testTarget(name: "TidyTests", swiftSettings: common),
    // Starts private Postgres and NATS servers for tests and for development mode.
    .target(name: "ServerTestKit", dependencies: [logging], path: "Tests/ServerTestKit", swiftSettings: common),
]

let everyPackage: [(identity: String, dependency: Package.Dependency)] = [
    ("swift-protobuf", .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0")),
    ("swift-log", .package(url: "https://github.com/apple/swift-log", from: "1.16.0")),
    ("swift-nio", .package(url: "https://github.com/apple/swift-nio", from: "2.101.0")),
    ("swift-nio-http2", .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0")),
    ("swift-nio-ssl", .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0")),
    ("swift-crypto", .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0")),
    ("swift-argument-parser", .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")),
    ("grpc-swift-2", .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0")),
    ("grpc-swift-nio-transport", .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0")),
    ("hummingbird", .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0")),
    ("swift-mustache", .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1")),
    ("async-http-client", .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0")),
]

/// The names a target needs, split into targets of this package and packages.
func needs(_ target: Target) -> (targets: [String], packages: [String]) {
    var targets: [String] = []
    var packages: [String] = []
    for dependency in target.dependencies {
        switch dependency {
        case .targetItem(let name, _), .byNameItem(let name, _): targets.append(name)
        case .productItem(_, let package, _, _): if let package { packages.append(package) }
        @unknown default: break
        }
    }
    return (targets, packages)
}

var kept = Set(everyTarget.map(\.name))
if let only = Context.environment["ALOFT_ONLY"], !only.isEmpty {
    var queue = only.split(separator: ",").map(String.init)
    kept = []
    while let name = queue.popLast() {
        guard kept.insert(name).inserted, let target = everyTarget.first(where: { $0.name == name }) else { continue }
        queue.append(contentsOf: needs(target).targets)
    }
}
let targets = everyTarget.filter { kept.contains($0.name) }
let packages = Set(targets.flatMap { needs($0).packages })

let package = Package(
    name: "aloft",
    platforms: [.macOS(.v15)],
    products: (kept.contains("Worker") ? [.library(name: "Worker", targets: ["Worker"])] : [])
        + (kept.contains("WorkerTesting") ? [.library(name: "WorkerTesting", targets: ["WorkerTesting"])] : [])
        + (kept.contains("NotifyClient") ? [.library(name: "NotifyClient", targets: ["NotifyClient"])] : [])
        + (kept.contains("aloft") ? [.executable(name: "aloft", targets: ["aloft"])] : []),
    dependencies: everyPackage.filter { packages.contains($0.identity) }.map(\.dependency),
    targets: targets
)
