#include "drivers/modbus/plan.hpp"

#include <gtest/gtest.h>

namespace gateway::modbus::modbus_plan_test {
namespace {

using Rows = std::vector<std::uint16_t>;

Location holding(std::uint16_t first, std::uint16_t words = 1)
{
    return {.function = Function::holding_registers,
            .first = first,
            .count = words,
            .encoding = {.words = words}};
}

Location coil(std::uint16_t first)
{
    return {.function = Function::coils, .first = first, .count = 1, .encoding = {}};
}

struct Asked {
    Function function;
    std::uint16_t first, count;
    std::size_t parts;
    friend bool operator==(const Asked&, const Asked&) = default;
};

std::vector<Asked> asked(const std::vector<Block>& blocks)
{
    std::vector<Asked> found;
    found.reserve(blocks.size());
    for (const auto& block : blocks) {
        found.push_back({block.function, block.first, block.count, block.parts.size()});
    }
    return found;
}

std::vector<Asked> planned(std::vector<Location> locations, const Rows& due, Limits limits = {})
{
    Layout layout(std::move(locations), limits);
    return asked(layout.plan_for(due));
}

constexpr auto registers = Function::holding_registers;

TEST(ModbusPlan, NeighboursAreOneRequest)
{
    EXPECT_EQ(planned({holding(10, 2), holding(12), holding(13, 4)}, {0, 1, 2}),
              (std::vector<Asked>{{registers, 10, 7, 3}}));
}

TEST(ModbusPlan, OnlyWhatIsDueIsRead)
{
    EXPECT_EQ(planned({holding(10), holding(11), holding(12)}, {0, 2}),
              (std::vector<Asked>{{registers, 10, 1, 1}, {registers, 12, 1, 1}}));
}

TEST(ModbusPlan, AGapIsReadOverAsFarAsTheProfileAllows)
{
    EXPECT_EQ(planned({holding(0), holding(4)}, {0, 1}, {.max_gap = 3}),
              (std::vector<Asked>{{registers, 0, 5, 2}}));
    EXPECT_EQ(planned({holding(0), holding(4)}, {0, 1}, {.max_gap = 2}),
              (std::vector<Asked>{{registers, 0, 1, 1}, {registers, 4, 1, 1}}));
}

TEST(ModbusPlan, ARequestIsNeverLongerThanAllowed)
{
    std::vector<Location> locations;
    Rows due;
    for (std::uint16_t i = 0; i < 50; ++i) {
        locations.push_back(holding(static_cast<std::uint16_t>(2 * i), 2));
        due.push_back(i);
    }
    EXPECT_EQ(planned(locations, due, {.max_words = 60}),
              (std::vector<Asked>{{registers, 0, 60, 30}, {registers, 60, 40, 20}}));
    EXPECT_EQ(planned(locations, due, {.max_words = 5}).size(), 25U) << "no value is cut in two";
}

TEST(ModbusPlan, TablesAreNeverMixed)
{
    auto input = holding(1);
    input.function = Function::input_registers;
    EXPECT_EQ(planned({holding(0), input, coil(2)}, {0, 1, 2}).size(), 3U);
}

TEST(ModbusPlan, SixteenCoilsCountAsOneWord)
{
    EXPECT_EQ(planned({coil(0), coil(15), coil(16)}, {0, 1, 2}, {.max_words = 1, .max_gap = 1}),
              (std::vector<Asked>{{Function::coils, 0, 16, 2}, {Function::coils, 16, 1, 1}}));
}

TEST(ModbusPlan, BitsOfOneRegisterAreReadOnce)
{
    EXPECT_EQ(planned({holding(5), holding(5), holding(5)}, {0, 1, 2}),
              (std::vector<Asked>{{registers, 5, 1, 3}}));
}

TEST(ModbusPlan, PartsSayWhereInTheDueSetTheyBelong)
{
    Layout layout({holding(20), holding(10), holding(11)}, {});
    const Rows due{0, 2};
    const auto& blocks = layout.plan_for(due);
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[0].parts[0].row, 2);
    EXPECT_EQ(blocks[0].parts[0].position, 1U);
    EXPECT_EQ(blocks[1].parts[0].row, 0);
    EXPECT_EQ(blocks[1].parts[0].position, 0U);
}

TEST(ModbusPlan, TheLastRegisterIsReachable)
{
    EXPECT_EQ(planned({holding(65534, 2)}, {0}), (std::vector<Asked>{{registers, 65534, 2, 1}}));
}

TEST(ModbusPlan, ARepeatedDueSetUsesTheSamePlan)
{
    Layout layout({holding(0), holding(1)}, {});
    const Rows both{0, 1};
    const Rows one{1};
    const auto* first = layout.plan_for(both).data();
    layout.plan_for(one);
    EXPECT_EQ(layout.plan_for(both).data(), first);
}

TEST(ModbusPlan, ARefusedRegisterIsReadAloneUntilItAnswers)
{
    Layout layout({holding(0), holding(1), holding(2), holding(3)}, {});
    const Rows due{0, 1, 2, 3};
    layout.isolate(1);
    EXPECT_EQ(
        asked(layout.plan_for(due)),
        (std::vector<Asked>{{registers, 0, 1, 1}, {registers, 1, 1, 1}, {registers, 2, 2, 2}}));
    layout.answered_alone(1);
    EXPECT_EQ(asked(layout.plan_for(due)), (std::vector<Asked>{{registers, 0, 4, 4}}));
}

TEST(ModbusPlan, ACutIsKept)
{
    Layout layout({holding(0), holding(1), holding(5)}, {.max_gap = 4});
    const Rows due{0, 1, 2};
    EXPECT_EQ(layout.plan_for(due).size(), 1U);
    layout.cut_before(2);
    EXPECT_EQ(asked(layout.plan_for(due)),
              (std::vector<Asked>{{registers, 0, 2, 2}, {registers, 5, 1, 1}}));
}

TEST(ModbusPlan, CoilsAreTakenFromTheirBit)
{
    EXPECT_EQ(value_in(coil(9), 9, Bytes{0x00, 0x02}), Value::integer(1));
    EXPECT_EQ(value_in(coil(8), 8, Bytes{0x00, 0x02}), Value::integer(0));
    EXPECT_EQ(value_in(coil(16), 16, Bytes{0x00, 0x02}), std::nullopt);
}

}  // namespace
}  // namespace gateway::modbus::modbus_plan_test
