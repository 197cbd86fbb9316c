import Engine
import History

/// Many seeded runs at once.
public enum SeededRuns {
    /// One digest over everything that these runs did: events, effects, replies and state.
    public static func digest(seeds: Range<UInt64>, steps: Int) throws -> String {
        var hasher = SHA256()
        for seed in seeds {
            var subject = SeededRun(seed: seed)
            for step in 0..<steps where !subject.isClosed {
                let command = subject.nextCommand()
                let refusal = subject.perform(command)
                if step % 16 == 7 { try subject.crash() }
                hasher.update(subject.driver.run.snapshot())
                hasher.update(Array("\(refusal?.message ?? "") \(subject.driver.lastTransition.effects)".utf8))
            }
            hasher.update(Array(subject.driver.listing.joined(separator: ";").utf8))
        }
        return hasher.finish().description
    }
}
