"""What box and receiver tell of themselves: as Prometheus reads it, as the pages say, as it is."""
import json
import os
import re
import subprocess
import unittest
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

import procs
import town

BUILD = os.environ['BUILD_DIR']
SHIPPED = procs.SOURCE / 'systemd' / 'metrics'
OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
PROGRAMS = ('smart-gateway', 'smart-receiver')


def curl(place, *options):
    """place: a socket's path or HOST:PORT; the body and the content type."""
    where = ['--unix-socket', place, 'http://box/metrics'] if '/' in str(place) else [f'http://{place}/metrics']
    done = subprocess.run(['curl', '-sS', '--max-time', '10', '-w', '\n%{http_code} %{content_type}', *options, *where],
                          capture_output=True, text=True, check=True)
    body, _, about = done.stdout.rpartition('\n')
    code, _, kind = about.partition(' ')
    if code != '200':
        raise RuntimeError(f'{code}: {body}')
    return body, kind


def promtool(*arguments, text=None):
    return subprocess.run(['promtool', *map(str, arguments)], input=text, capture_output=True, text=True, check=False)


class Page:
    """The figures of a program as a strict reader of OpenMetrics takes them."""

    def __init__(self, place):
        self.text, self.kind = curl(place)
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}
        self.samples = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
                        for family in self.families.values() for sample in family.samples}

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def total(self, name):
        return sum(value for (sample, _), value in self.samples.items() if sample == name)

    def names(self):
        """As they are written in queries, those without a sample too."""
        for name, family in self.families.items():
            yield from ([name + '_total'] if family.type == 'counter' else [name])
            if family.type == 'histogram':
                yield from (name + part for part in ('_bucket', '_count', '_sum'))


def documented():
    """family -> (type, labels), per section of systemd/metrics.md."""
    sections, section = {}, None
    for line in (procs.SOURCE / 'systemd' / 'metrics.md').read_text().splitlines():
        if line.startswith('## '):
            section = sections.setdefault(line[3:], {})
        elif match := re.match(r'\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\|', line):
            section[match[1]] = match[2], frozenset(match[3].replace(',', ' ').split())
    return sections


def expressions():
    """Every query of the dashboards, as a rule file can hold it."""
    for path in sorted(SHIPPED.glob('*.dashboard.json')):
        for panel in json.loads(path.read_text())['panels']:
            for target in panel['targets']:
                yield path.name, target['expr'].replace('$__rate_interval', '5m').replace('$instance', 'x')


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = cls.enterClassContext(procs.Run(BUILD))
        cls.receiver_socket = cls.run_.runtime / 'receiver.sock'
        cls.town = town.Town(cls.run_, more_devices=[('gone', f'127.0.0.1:{procs.closed_port()}')])
        cls.town.receiver.command += ['--metrics', str(cls.receiver_socket)]
        cls.box_socket = cls.run_.runtime / 'metrics.sock'
        cls.town.start()
        cls.town.wait_delivered(10)

    def box(self):
        return Page(self.box_socket)

    def receiver(self):
        return Page(self.receiver_socket)

    def pages(self):
        return {'smart-gateway': self.box(), 'smart-receiver': self.receiver()}

    def wait(self, holds, page):
        procs.wait_for(lambda: holds(page()), 30, what=lambda: page().text)

    def test_they_are_open_metrics_and_prometheus_finds_nothing_to_say(self):
        for place in (self.box_socket, self.receiver_socket):
            page = Page(place)
            self.assertEqual(page.kind, OPEN)
            self.assertTrue(page.text.endswith('# EOF\n'))
            plain, kind = curl(place, '-H', 'Accept: text/plain')
            self.assertEqual(kind, 'text/plain; version=0.0.4; charset=utf-8')
            checked = promtool('check', 'metrics', text=plain)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ''))

    def test_the_page_names_what_there_is(self):
        sections = documented()
        for program, section in (('smart-gateway', 'Box'), ('smart-receiver', 'Receiver')):
            said = {**sections[section], **sections['Both']}
            found = self.pages()[program].families
            self.assertEqual({name: about[0] for name, about in said.items()},
                             {name: family.type for name, family in found.items()})
            for name, family in found.items():
                for sample in family.samples:
                    self.assertLessEqual(set(sample.labels), said[name][1], name)

    def test_alerts_and_dashboards_ask_for_what_there_is(self):
        known = {name for page in self.pages().values() for name in page.names()}
        queries = list(expressions())
        rules = self.run_.write('queries.yml', json.dumps({'groups': [{'name': 'queries', 'rules': [
            {'record': f'query:{n}', 'expr': query} for n, (_, query) in enumerate(queries)]}]}))
        files = [rules, *(SHIPPED / f'{program}.rules.yml' for program in PROGRAMS)]
        checked = promtool('check', 'rules', *files)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        for path in files:
            asked = set(re.findall(r'\b(?:smart_(?:gateway|receiver)|process)_\w+', path.read_text()))
            self.assertTrue(asked)
            self.assertEqual(asked - known, set(), path)

    def test_alerts_come_when_they_should(self):
        for program in PROGRAMS:
            tested = promtool('test', 'rules', procs.SOURCE / 'tests' / 'data' / 'metrics' / f'{program}.test.yml')
            self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
            cases = (procs.SOURCE / 'tests' / 'data' / 'metrics' / f'{program}.test.yml').read_text()
            alerts = re.findall(r'- alert: (\w+)', (SHIPPED / f'{program}.rules.yml').read_text())
            self.assertEqual([name for name in alerts if f'"{name}"' not in cases], [], 'not tested')

    def test_a_box_says_what_it_does(self):
        def settled(page):
            return page.total('smart_gateway_readings_delivered_total') > 0 and page.total(
                'smart_gateway_uplink_receipts_total') > 0
        self.wait(settled, self.box)
        page = self.box()
        self.assertEqual(page.value('smart_gateway_uplink_connected'), 1)
        self.assertEqual(page.value('smart_gateway_devices'), 3)
        self.assertEqual(page.value('smart_gateway_device_answering', device='meter-1'), 1)
        self.assertEqual(page.value('smart_gateway_device_answering', device='gone'), 0)
        self.assertGreater(page.value('smart_gateway_device_polls_total', device='gone', result='failed'), 0)
        self.assertGreater(page.value('smart_gateway_device_missed_slots_total', device='gone', cause='unreachable'), 0)
        self.assertLess(page.value('smart_gateway_device_good_reading_age_seconds', device='meter-1'), 30)
        self.assertIsNone(page.value('smart_gateway_device_good_reading_age_seconds', device='gone'))
        durable = page.value('smart_gateway_readings_durable_total')
        self.assertGreater(durable, 0)
        self.assertGreaterEqual(page.value('smart_gateway_readings_accepted_total'), durable)
        self.assertLessEqual(page.total('smart_gateway_readings_delivered_total'),
                             page.total('smart_gateway_readings_numbered_total'))
        self.assertGreater(page.value('smart_gateway_poll_lateness_seconds_count'), 0)
        self.assertEqual(page.total('smart_gateway_readings_declared_lost_total'), 0)
        self.assertAlmostEqual(page.value('process_resident_memory_bytes') / 1024, self.town.gateway.resident_kb(),
                               delta=4096)

    def test_a_receiver_says_what_came(self):
        before = len(self.town.receiver.records())
        self.wait(lambda page: page.value('smart_receiver_readings_total') >= before, self.receiver)
        page = self.receiver()
        self.assertEqual(page.value('smart_receiver_connected'), 1)
        self.assertEqual(page.value('smart_receiver_box_online', box=self.town.box), 1)
        self.assertGreater(page.value('smart_receiver_messages_total', kind='data'), 0)
        self.assertGreater(page.value('smart_receiver_receipts_total'), 0)
        self.assertGreater(page.value('smart_receiver_live_batch_age_seconds_count'), 0)
        heard = page.value('smart_receiver_box_heard_timestamp_seconds', box=self.town.box)
        self.assertLess(abs(heard - os.stat(self.town.receiver.file).st_mtime), 60)

    def test_refused_messages_are_counted_by_reason(self):
        def counts(page):
            return {reason: page.value('smart_receiver_refused_messages_total', reason=reason)
                    for reason in ('topic', 'origin', 'limit', 'content')}
        before = counts(self.receiver())
        self.town.publish(f'ss1/place-1714000/data/{self.town.box}', 'no batch')
        self.town.publish('ss1/place-1714000/data/NOT_A_NAME', 'no topic')
        self.town.publish(f'ss1/county-17031/birth/{self.town.box}', '{}')
        wanted = {**before, 'content': before['content'] + 1, 'topic': before['topic'] + 1,
                  'origin': before['origin'] + 1}
        self.wait(lambda page: counts(page) == wanted, self.receiver)

    def test_a_port_is_opened_only_when_the_site_file_asks(self):
        gateway = self.town.gateway
        self.assertEqual(gateway.listening_ports(), [])
        self.assertEqual(self.town.receiver.listening_ports(), [])
        port = procs.free_port()
        self.town.write_site(extra=f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
        self.assertEqual(gateway.ask('reload').returncode, 0)
        self.assertEqual(gateway.listening_ports(), [port])
        self.assertIn('smart_gateway_info', Page(f'127.0.0.1:{port}').families)
        self.scrape(port)
        self.town.write_site()
        self.assertEqual(gateway.ask('reload').returncode, 0)
        self.assertEqual(gateway.listening_ports(), [])
        self.assertIn('smart_gateway_info', self.box().families)

    def scrape(self, port):
        """A Prometheus of the day takes the figures and the alerts as they are."""
        own = procs.free_port()
        configuration = self.run_.write('prometheus.yml', json.dumps({
            'global': {'scrape_interval': '1s', 'scrape_timeout': '1s', 'evaluation_interval': '1s'},
            'rule_files': [str(path) for path in sorted(SHIPPED.glob('*.rules.yml'))],
            'scrape_configs': [{'job_name': 'smart-gateway', 'static_configs': [{'targets': [f'127.0.0.1:{port}']}]}]}))
        self.run_.add(procs.Program(self.run_.folder, 'prometheus', [
            'prometheus', f'--config.file={configuration}', f'--storage.tsdb.path={self.run_.folder / "series"}',
            f'--web.listen-address=127.0.0.1:{own}'])).start()

        def ask(query):
            try:
                with urllib.request.urlopen(f'http://127.0.0.1:{own}/api/v1/{query}', timeout=5) as answer:
                    return json.load(answer)['data']
            except OSError:
                return {}

        def came():
            return ask('query?query=smart_gateway_device_answering').get('result')
        devices = procs.wait_for(came, 60, what=lambda: ask('targets'))
        self.assertEqual({result['metric']['device']: result['value'][1] for result in devices},
                         {'meter-1': '1', 'meter-2': '1', 'gone': '0'})
        self.assertEqual([target['lastError'] for target in ask('targets')['activeTargets']], [''])

        def judged():
            rules = [rule for group in ask('rules').get('groups', []) for rule in group['rules']]
            return rules and all(rule['health'] != 'unknown' for rule in rules) and rules
        self.assertEqual([rule.get('lastError', '') for rule in procs.wait_for(judged, 60)
                          if rule['health'] != 'ok'], [])


if __name__ == '__main__':
    unittest.main()
