import Rollouts
import Testing

@Suite("The course of a rollout")
struct CourseTests {
    private func course(_ limits: RolloutCourse.Limits = .init()) throws -> RolloutCourse {
        RolloutCourse(plan: try .doubling(), limits: limits)
    }

    @Test("1: doubling goes 1, 2, 4, 8, 16, 32, 64, 100 with seven passing checks before everything, then bakes")
    func doubling() throws {
        var course = try self.course()
        var weights = [course.weight]
        for _ in 0..<7 {
            if case .advance(let weight) = course.take(.pass) { weights.append(weight) }
        }
        #expect(weights == [1, 2, 4, 8, 16, 32, 64, 100])
        #expect(course.take(.pass) == .bake)
    }

    @Test("3: the first failing check holds, the second ends it; passing between them does not forget")
    func failures() throws {
        var course = try self.course()
        #expect(course.take(.fail(reason: "slow")) == .hold(reason: "slow"))
        #expect(course.weight == 1)
        #expect(course.take(.pass) == .advance(to: 2))
        #expect(course.take(.fail(reason: "slow")) == .rollBack(reason: "slow"))
        var other = try self.course()
        #expect(other.take(.abort(reason: "alert")) == .rollBack(reason: "alert"))
    }

    @Test(
        "6, 10: three checks that say nothing, or no metrics three times, pause at the same weight; resume goes on there"
    )
    func pauses() throws {
        var course = try self.course()
        _ = course.take(.pass)
        #expect(course.take(.inconclusive(reason: "few")) == .hold(reason: "few"))
        #expect(course.take(.inconclusive(reason: "few")) == .hold(reason: "few"))
        #expect(course.take(.inconclusive(reason: "few")) == .pause(reason: "few"))
        #expect(course.weight == 2)
        course.resume()
        #expect(course.take(.inconclusive(reason: "few")) == .hold(reason: "few"))
        #expect(course.takeNothing("down") == .hold(reason: "down"))
        #expect(course.takeNothing("down") == .hold(reason: "down"))
        #expect(course.takeNothing("down") == .pause(reason: "down"))
        #expect(course.weight == 2)
        course.resume()
        #expect(course.take(.pass) == .advance(to: 4))
    }

    @Test("Plans grow, stay within what the router can do, and end with everything")
    func plans() throws {
        #expect(try RolloutPlan([5, 20]).weights == [5, 20, 100])
        #expect(try RolloutPlan.doubling(from: 30).weights == [30, 60, 100])
        for bad in [[], [10, 10], [20, 10], [0.1], [101]] as [[Double]] {
            #expect(throws: RolloutPlan.Invalid.self, "\(bad)") { try RolloutPlan(bad) }
        }
        #expect(throws: RolloutPlan.Invalid.self) { try RolloutPlan.doubling(from: 0.3) }
    }

    @Test(
        "15: ten percent of a thousand tenants are about a hundred, and twenty percent keep all of them",
        arguments: 1...20)
    func tenants(_ seed: Int) {
        let buckets = (0..<1000).map { TenantBucket(tenant: "tenant-\($0)", salt: "salt-\(seed)") }
        let ten = buckets.filter { $0.isIn(percent: 10) }
        #expect((70...130).contains(ten.count))
        #expect(ten.allSatisfy { $0.isIn(percent: 20) })
        #expect(buckets.allSatisfy { $0.isIn(percent: 100) && !$0.isIn(percent: 0) })
    }

    @Test("A variant stays with its tenant, and the shares are kept")
    func experiments() throws {
        let experiment = try #require(
            Experiment(name: "button", variants: [.init(name: "red", percent: 30), .init(name: "blue", percent: 70)]))
        let tenants = (0..<5000).map { "t\($0)" }
        let red = tenants.count { experiment.variant(of: $0).name == "red" }
        #expect((1350...1650).contains(red))
        #expect(tenants.allSatisfy { experiment.variant(of: $0) == experiment.variant(of: $0) })
        #expect(Experiment(name: "x", variants: [.init(name: "a", percent: 50), .init(name: "a", percent: 50)]) == nil)
        #expect(Experiment(name: "x", variants: [.init(name: "a", percent: 50), .init(name: "b", percent: 49)]) == nil)
    }
}
