/// Full jitter: the n-th wait is drawn evenly from zero to `base` doubled n times, but never more than `cap`.
struct Backoff: Sendable {
    var base: Duration = .milliseconds(20)
    var cap: Duration = .seconds(2)
    private var attempts = 0

    mutating func next() -> Duration {
        let doublings = min(attempts, 20)
        attempts += 1
        let ceiling = min(cap, base * (1 << doublings))
        return ceiling * Double.random(in: 0..<1)
    }

    mutating func reset() { attempts = 0 }
}
