import Foundation
import Synchronization

/// Places where a worker can be made to die, hang or fail, so that every crash of the specification can be produced.
///
/// `FAILPOINT={activity}.{before_effect|after_effect|after_result}:{kill9|hang|error}[@n]`, several separated by commas. Compiled
/// into every build; armed only when the command line says so.
public final class Failpoints: Sendable {
    public enum Place: String, Sendable {
        case beforeEffect = "before_effect"
        case afterEffect = "after_effect"
        case afterResult = "after_result"
    }

    public enum Action: String, Sendable {
        case kill9, hang, error
    }

    struct Point: Hashable, Sendable {
        var activity: String
        var place: Place
        var action: Action
        /// The hit that acts, from 1.
        var nth: Int
    }

    private let points: [Point]
    private let hits: Mutex<[Int]>

    /// No failpoints at all.
    public static let none = Failpoints(points: [])

    /// - Returns: nil when the text is not of the form above.
    public convenience init?(parsing text: String) {
        var points: [Point] = []
        for part in text.split(separator: ",") {
            guard let point = Point(parsing: part) else { return nil }
            points.append(point)
        }
        self.init(points: points)
    }

    init(points: [Point]) {
        self.points = points
        self.hits = Mutex(Array(repeating: 0, count: points.count))
    }

    /// Passes a place.
    ///
    /// - Throws: `transient` where an error is asked for.
    public func pass(_ activity: String, _ place: Place) async throws(EffectFailure) {
        for (index, point) in self.points.enumerated() where point.activity == activity && point.place == place {
            let count = self.hits.withLock { hits in
                hits[index] += 1
                return hits[index]
            }
            guard count == point.nth else { continue }
            switch point.action {
            case .kill9: kill(getpid(), SIGKILL)
            case .hang: try? await Task.sleep(for: .seconds(3600))
            case .error: throw EffectFailure(.transient, "failpoint \(activity).\(place.rawValue)")
            }
        }
    }
}

extension Failpoints.Point {
    init?(parsing text: some StringProtocol) {
        let halves = text.split(separator: ":", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let name = halves[0].split(separator: ".")
        let act = halves[1].split(separator: "@")
        guard name.count == 2, let place = Failpoints.Place(rawValue: String(name[1])), let word = act.first,
            let action = Failpoints.Action(rawValue: String(word))
        else { return nil }
        var nth = 1
        if act.count == 2 {
            guard let number = Int(act[1]), number >= 1 else { return nil }
            nth = number
        }
        self.init(activity: String(name[0]), place: place, action: action, nth: nth)
    }
}
