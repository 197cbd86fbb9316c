import Rollouts
import Testing

@Suite("Picking a route")
struct RoutePickerTests {
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state ^ (self.state >> 29)
        }
    }

    private func picks(_ picker: RoutePicker, _ count: Int, seed: UInt64 = 7) -> [Int?] {
        var (picker, numbers) = (picker, Numbers(state: seed))
        return (0..<count).map { _ in picker.pick(using: &numbers) }
    }

    @Test("Every strategy picks one of the targets, and nothing of none", arguments: RoutePicker.Strategy.allCases)
    func total(_ strategy: RoutePicker.Strategy) {
        let targets = (0..<5).map { RoutePicker.Target("t\($0)", connections: $0) }
        #expect(
            self.picks(RoutePicker(strategy, targets: targets), 500).allSatisfy {
                $0.map { (0..<5).contains($0) } ?? false
            })
        #expect(self.picks(RoutePicker(strategy, targets: []), 3) == [nil, nil, nil])
        #expect(self.picks(RoutePicker(strategy, targets: [targets[0]]), 3) == [0, 0, 0])
    }

    @Test("Round-robin takes turns; random comes to all about equally")
    func turns() {
        let targets = (0..<3).map { RoutePicker.Target("t\($0)") }
        #expect(self.picks(RoutePicker(.roundRobin, targets: targets), 7) == [0, 1, 2, 0, 1, 2, 0])
        let random = self.picks(RoutePicker(.random, targets: targets), 3000)
        for index in 0..<3 { #expect((900...1100).contains(random.count { $0 == index })) }
    }

    @Test("Weights are kept exactly and spread evenly; a weight of 0 gets nothing")
    func weights() {
        let targets = [
            RoutePicker.Target("a", weight: 5), RoutePicker.Target("b"), RoutePicker.Target("c"),
            RoutePicker.Target("d", weight: 0),
        ]
        let picked = self.picks(RoutePicker(.weighted, targets: targets), 7)
        #expect(picked == [0, 0, 1, 0, 2, 0, 0])
        let many = self.picks(RoutePicker(.weighted, targets: targets), 7000)
        #expect((0..<4).map { index in many.count { $0 == index } } == [5000, 1000, 1000, 0])
        #expect(self.picks(RoutePicker(.weighted, targets: [RoutePicker.Target("z", weight: 0)]), 1) == [nil])
    }

    @Test("The least busy is taken; of two at random the less busy one, never the busiest of all")
    func connections() {
        let targets = [4, 1, 9, 3].enumerated().map { RoutePicker.Target("t\($0.offset)", connections: $0.element) }
        #expect(self.picks(RoutePicker(.leastConnections, targets: targets), 3) == [1, 1, 1])
        let two = self.picks(RoutePicker(.powerOfTwo, targets: targets), 2000)
        #expect(two.allSatisfy { $0 != 2 })
        #expect(two.count { $0 == 1 } > two.count { $0 == 3 })
    }

    @Test("Sick targets and open breakers are left out; when all are, there is no route")
    func health() {
        let targets = [
            RoutePicker.Target("sick", health: 50), RoutePicker.Target("well", health: 51),
            RoutePicker.Target("open", isBreakerOpen: true), RoutePicker.Target("fine"),
        ]
        #expect(self.picks(RoutePicker(.healthAware, targets: targets), 4) == [1, 3, 1, 3])
        #expect(self.picks(RoutePicker(.healthAware, targets: Array(targets.prefix(1))), 1) == [nil])
    }
}
