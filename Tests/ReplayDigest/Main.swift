import RunTestKit

/// Prints one digest over many seeded runs: equal in every process, or something in the core depends on hashing.
@main
enum ReplayDigest {
    static func main() throws {
        print(try SeededRuns.digest(seeds: 0..<60, steps: 120))
    }
}
