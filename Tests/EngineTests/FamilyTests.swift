import Engine
import Foundation
import History
import RunTestKit
import Testing

@Suite("Whatever happens in a family of runs, its histories agree")
struct FamilyTests {
    static let steps = 200
    static let chunk: UInt64 = 500
    /// How often everything that can happen must happen in a chunk: the rarest happens seven times in the leanest.
    static let least = 4

    /// `ALOFT_SEEDS=17` repeats one family, `ALOFT_SEEDS=17-40` these; `ALOFT_TRACE=1` shows the events of one with a fault,
    /// `ALOFT_TALLY=1` how often what happened.
    private static let environment = ProcessInfo.processInfo.environment

    static let seeds: Range<UInt64> = {
        let text = environment["ALOFT_SEEDS"] ?? ""
        let bounds = text.split(separator: "-").compactMap { UInt64($0) }
        guard let first = bounds.first, let last = bounds.last, first <= last else { return 0..<10_000 }
        return first..<last + 1
    }()

    static let chunks = stride(from: seeds.lowerBound, to: seeds.upperBound, by: Int(chunk)).map { first in
        first..<min(first + chunk, seeds.upperBound)
    }

    /// Goal: children, signals, updates, timers, activities, cancel requests, new runs and resets together keep every promise,
    /// whatever is lost, repeated, late or crashes.
    ///
    /// Method: random families. After each step the run that moved is held against the fold of its history; at the end
    /// everything under way arrives, and all histories are held against each other. What has to happen is counted.
    @Test("Families of runs agree on what happened", arguments: chunks)
    func familiesAgree(_ seeds: Range<UInt64>) throws {
        var tally = FamilyTally()
        for seed in seeds {
            var family = try RunFamily(seed: seed)
            try family.live(steps: Self.steps)
            let faults = try FamilyChecker.faults(in: family)
            if !faults.isEmpty, Self.environment["ALOFT_TRACE"] != nil { print(family.story) }
            #expect(faults.isEmpty, "ALOFT_SEEDS=\(seed): \(faults.prefix(5))")
            tally.add(family.tally)
        }
        if Self.environment["ALOFT_TALLY"] != nil { print(tally) }
        guard seeds.count == Int(Self.chunk) else { return }
        for happening in FamilyTally.Happening.allCases {
            #expect(tally.happenings[happening] ?? 0 >= Self.least, "\(happening.rawValue), seeds \(seeds)")
        }
        for type in Array(1...41) + [43, 46, 47] {
            #expect(tally.events[Int32(type)] ?? 0 >= Self.least, "event type \(type), seeds \(seeds)")
        }
    }
}
