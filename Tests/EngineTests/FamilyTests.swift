import Engine
import History
import RunTestKit
import Testing

@Suite("Messages between runs arrive once, whatever is lost")
struct FamilyTests {
    static let steps = 300

    /// Goal: children, signals and cancel requests mean the same as if nothing was ever lost, repeated or crashed.
    ///
    /// Method: random families; at the end everything that is under way arrives, and the histories are held against each other.
    @Test("A family of runs agrees on what happened", arguments: stride(from: 0, to: 400, by: 50).map { $0 })
    func aFamilyAgrees(first: Int) throws {
        var repeated = 0
        for seed in UInt64(first)..<UInt64(first + 50) {
            var family = try RunFamily(seed: seed)
            for _ in 0..<Self.steps { try family.step() }
            try family.calm()
            let faults = try FamilyChecker.faults(in: family)
            try #require(faults.isEmpty, "seed \(seed): \(faults.prefix(5))")
            repeated += family.repeated
        }
        #expect(repeated > 100)
    }
}
