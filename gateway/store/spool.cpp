#include "gateway/store/spool.hpp"

#include "gateway/core/digest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

namespace gateway {

namespace {

namespace fs = std::filesystem;

// Written and read on one machine between two starts: no version, no byte order.
constexpr auto extension = ".spool";
constexpr std::size_t frame_bytes = 8;  ///< of a record: size, then CRC-32C of what follows
constexpr std::uint8_t has_device_time = 0x80;

/// Numbers as they lie in memory, one after the other: as many as a reading, or a header, has.
class Fields {
public:
    template <typename T>
    Fields& put(T number)
    {
        std::memcpy(bytes_.data() + size_, &number, sizeof number);
        size_ += sizeof number;
        return *this;
    }
    void append_to(Bytes& record) const
    {
        record.insert(record.end(), bytes_.begin(), bytes_.begin() + size_);
    }

private:
    std::array<std::uint8_t, 32> bytes_;  // NOLINT: filled as far as it is used
    std::size_t size_ = 0;
};

void put_reading(Bytes& record, const Reading& reading)
{
    const auto kind = reading.value.kind();
    const auto flag = reading.device_time ? has_device_time : std::uint8_t{0};
    Fields fields;
    fields.put(reading.alias.packed())
        .put(std::int64_t{reading.time.time_since_epoch().count()})
        .put(static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) | flag))
        .put(static_cast<std::uint8_t>(reading.quality))
        .put(static_cast<std::uint16_t>(reading.cause));
    if (reading.device_time) {
        fields.put(std::int64_t{reading.device_time->time_since_epoch().count()});
    }
    if (kind == Kind::text) {
        const auto& text = reading.value.text();
        fields.put(static_cast<std::uint32_t>(text.size())).append_to(record);
        record.insert(record.end(), text.begin(), text.end());
        return;
    }
    if (kind != Kind::none) {
        fields.put(reading.value.bits());
    }
    fields.append_to(record);
}

/// Takes numbers off the front; after the end everything is zero and good() is false.
class Reader {
public:
    explicit Reader(ByteView bytes) : bytes_(bytes) {}

    ByteView take(std::size_t size)
    {
        if (size > bytes_.size()) {
            good_ = false;
            return {};
        }
        const auto taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }
    template <typename T>
    T number()
    {
        T read{};
        if (const auto raw = take(sizeof(T)); !raw.empty()) {
            std::memcpy(&read, raw.data(), sizeof(T));
        }
        return read;
    }
    bool good() const { return good_; }
    bool at_end() const { return bytes_.empty(); }

private:
    ByteView bytes_;
    bool good_ = true;
};

/// The payload of the next record; nothing at the end and at the first bad one.
std::optional<ByteView> next_record(Reader& file)
{
    const auto size = file.number<std::uint32_t>();
    const auto crc = file.number<std::uint32_t>();
    const auto payload = file.take(size);
    return file.good() && !payload.empty() && crc32c(payload) == crc ? std::optional(payload)
                                                                     : std::nullopt;
}

Reading reading_from(Reader& record)
{
    Reading reading;
    reading.alias = Alias::from(record.number<std::uint32_t>());
    reading.time = BootTime(std::chrono::milliseconds(record.number<std::int64_t>()));
    const auto kind_and_flag = record.number<std::uint8_t>();
    reading.quality = static_cast<Quality>(record.number<std::uint8_t>());
    reading.cause = static_cast<Cause>(record.number<std::uint16_t>());
    if ((kind_and_flag & has_device_time) != 0) {
        reading.device_time = WallTime(std::chrono::milliseconds(record.number<std::int64_t>()));
    }
    const auto kind = static_cast<Kind>(kind_and_flag & ~has_device_time);
    if (kind == Kind::text) {
        const auto text = record.take(record.number<std::uint32_t>());
        reading.value = Value::of_text(std::string(text.begin(), text.end()));
    } else if (kind != Kind::none) {
        reading.value = Value::from_bits(kind, record.number<std::uint64_t>());
    }
    return reading;
}

std::optional<SpoolHeader> header_from(Reader record)
{
    SpoolHeader header;
    const auto epoch = record.take(header.epoch.bytes.size());
    std::ranges::copy(epoch, header.epoch.bytes.begin());
    const auto lane = record.number<std::uint8_t>();
    header.clock.state = static_cast<ClockState>(record.number<std::uint8_t>());
    header.clock.error_ms = record.number<std::uint32_t>();
    header.first = record.number<std::uint64_t>();
    header.opened = BootTime(std::chrono::milliseconds(record.number<std::int64_t>()));
    header.clock.wall = WallTime(std::chrono::milliseconds(record.number<std::int64_t>()));
    if (!record.good() || lane >= lane_count) {
        return std::nullopt;
    }
    header.lane = all_lanes[lane];
    return header;
}

void add_record(PendingBatch& batch, Reader record)
{
    for (auto left = record.number<std::uint16_t>(); left > 0 && record.good(); --left) {
        const auto device = record.number<std::uint16_t>();
        batch.dictionaries.push_back({device, record.number<std::uint64_t>()});
    }
    while (record.good() && !record.at_end()) {
        const auto reading = reading_from(record);
        if (record.good()) {
            batch.readings.push_back(reading);
        }
    }
}

std::optional<SpooledBatch> read_file(const std::string& path)
{
    std::ifstream stream(path, std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(stream), {}};
    Reader file(bytes);
    const auto first = next_record(file);
    const auto header = first ? header_from(Reader(*first)) : std::nullopt;
    if (!header) {
        return std::nullopt;
    }
    SpooledBatch spooled{path, *header, {header->lane, header->opened, header->clock, {}, {}}};
    while (const auto record = next_record(file)) {
        add_record(spooled.batch, Reader(*record));
    }
    std::ranges::sort(spooled.batch.dictionaries, {}, &DictionaryRef::device);
    return spooled;
}

}  // namespace

std::optional<SpoolFile> SpoolFile::create(const std::string& directory, const SpoolHeader& header)
{
    const auto path = directory + "/" + header.epoch.hex() + "-" +
                      std::string(to_string(header.lane)) + "-" + std::to_string(header.first) +
                      extension;
    const auto descriptor =
        open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return std::nullopt;
    }
    SpoolFile file(path, descriptor);
    auto& record = file.record_;
    record.resize(frame_bytes);
    record.insert(record.end(), header.epoch.bytes.begin(), header.epoch.bytes.end());
    Fields()
        .put(static_cast<std::uint8_t>(header.lane))
        .put(static_cast<std::uint8_t>(header.clock.state))
        .put(header.clock.error_ms)
        .put(header.first)
        .put(std::int64_t{header.opened.time_since_epoch().count()})
        .put(std::int64_t{header.clock.wall.time_since_epoch().count()})
        .append_to(record);
    if (!file.write_record()) {
        file.remove();
        return std::nullopt;
    }
    return file;
}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : path_(std::move(other.path_)),
      record_(std::move(other.record_)),
      descriptor_(std::exchange(other.descriptor_, -1))
{
}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept
{
    std::swap(path_, other.path_);
    std::swap(record_, other.record_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

SpoolFile::~SpoolFile()
{
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

bool SpoolFile::append(std::span<const DictionaryRef> named, std::span<const Reading> readings)
{
    record_.resize(frame_bytes);
    Fields().put(static_cast<std::uint16_t>(named.size())).append_to(record_);
    for (const auto& reference : named) {
        Fields().put(reference.device).put(reference.hash).append_to(record_);
    }
    for (const auto& reading : readings) {
        put_reading(record_, reading);
    }
    return write_record();
}

/// Fills in the frame of `record_` and writes it.
bool SpoolFile::write_record()
{
    const auto payload = ByteView(record_).subspan(frame_bytes);
    const auto size = static_cast<std::uint32_t>(payload.size());
    const auto crc = crc32c(payload);
    std::memcpy(record_.data(), &size, sizeof size);
    std::memcpy(record_.data() + sizeof size, &crc, sizeof crc);
    return write(descriptor_, record_.data(), record_.size()) ==
           static_cast<ssize_t>(record_.size());
}

void SpoolFile::remove()
{
    unlink(path_.c_str());
}

std::vector<SpooledBatch> read_spool(const std::string& directory)
{
    std::vector<SpooledBatch> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        if (entry.path().extension() != extension) {
            continue;
        }
        if (auto spooled = read_file(entry.path().string())) {
            found.push_back(std::move(*spooled));
        } else {
            unlink(entry.path().c_str());
        }
    }
    std::ranges::sort(found, {}, [](const SpooledBatch& spooled) {
        return std::tuple(spooled.header.epoch, spooled.header.lane, spooled.header.first);
    });
    return found;
}

}  // namespace gateway
