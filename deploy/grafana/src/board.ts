// What all boards share: variables, how a panel is put together, and the matchers that every query has.
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import { PanelBuilder as Heatmap } from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Board, Panel, Query } from './panel';

const SOURCE: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
const COLUMNS = 24;

// `name{job=~"$job", instance=~"$instance", more}`
export function select(name: string, more = ''): string {
  return `${name}{job=~"$job", instance=~"$instance"${more === '' ? '' : `, ${more}`}}`;
}
export const rate = (name: string, more = '') => `rate(${select(name, more)}[$__rate_interval])`;
export const increase = (name: string, more = '') => `increase(${select(name, more)}[$__range])`;
// Of a histogram, by what `by` names beside `le`.
export function quantile(q: number, name: string, by: string[] = [], more = ''): string {
  return `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (${rate(`${name}_bucket`, more)}))`;
}
export const PERCENTILES: [number, string][] = [[0.5, 'p50'], [0.95, 'p95'], [0.99, 'p99']];
export const percentiles = (name: string, more = ''): Query[] =>
  PERCENTILES.map(([q, legend]) => ({ expr: quantile(q, name, [], more), legend }));

// Two shapes that many panels have: how long something takes, and how much of it there is by a label.
export const times = (title: string, name: string, description: string): Panel =>
  ({ kind: 'lines', title, unit: 's', min: 0, description, queries: percentiles(name) });
export const shares = (title: string, unit: string, name: string, label: string, description: string): Panel => ({
  kind: 'lines', title, unit, stacked: true, min: 0, description,
  queries: [{ expr: `sum by (${label}) (${rate(name)})`, legend: `{{${label}}}` }],
});

function target(query: Query, place: number, heat: boolean): prometheus.DataqueryBuilder {
  const built = new prometheus.DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + place))
    .datasource(SOURCE)
    .expr(query.expr)
    .legendFormat(heat ? '{{le}}' : query.legend)
    .editorMode(prometheus.QueryEditorMode.Code)
    .format(heat ? prometheus.PromQueryFormat.Heatmap : prometheus.PromQueryFormat.TimeSeries);
  return query.instant === true ? built.instant() : built.range();
}

// Green up to the first step, then as the steps say.
function steps(panel: Panel): dashboard.ThresholdsConfigBuilder {
  const first = { value: null, color: panel.base ?? 'green' };
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([first, ...(panel.steps ?? []).map(([value, color]) => ({ value, color }))]);
}

type AnyPanel = TimeSeries | Stat | BarGauge | StateTimeline | Heatmap;

function shape(panel: Panel): AnyPanel {
  const last = new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
  switch (panel.kind) {
    case 'stat':
      return new Stat().reduceOptions(last).graphMode(common.BigValueGraphMode.Area).colorMode(
        panel.steps === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value);
    case 'bars':
      return new BarGauge().reduceOptions(last).orientation(common.VizOrientation.Horizontal)
        .displayMode(common.BarGaugeDisplayMode.Basic).valueMode(common.BarGaugeValueMode.Text);
    case 'strip':
      return new StateTimeline().mergeValues(false).rowHeight(0.9).fillOpacity(80)
        .showValue(common.VisibilityMode.Never)
        .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.ContinuousGrYlRd));
    case 'heat':
      return new Heatmap().calculate(false).cellGap(1);
    default:
      return new TimeSeries().lineWidth(panel.stacked === true ? 0 : 2)
        .fillOpacity(panel.stacked === true ? 60 : 8)
        .showPoints(common.VisibilityMode.Never)
        .stacking(new common.StackingConfigBuilder()
          .mode(panel.stacked === true ? common.StackingMode.Normal : common.StackingMode.None))
        .legend(new common.VizLegendOptionsBuilder().showLegend(true)
          .displayMode(common.LegendDisplayMode.List).placement(common.LegendPlacement.Bottom))
        .tooltip(new common.VizTooltipOptionsBuilder()
          .mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  }
}

function build(panel: Panel): AnyPanel {
  const heat = panel.kind === 'heat';
  const built: AnyPanel = shape(panel);
  built.title(panel.title).description(panel.description).datasource(SOURCE).unit(panel.unit)
    .span(panel.wide ?? 8).height(panel.high ?? (panel.kind === 'stat' ? 4 : 8))
    .thresholds(steps(panel))
    .targets(panel.queries.map((query, place) => target(query, place, heat)));
  if (panel.decimals !== undefined) built.decimals(panel.decimals);
  if (panel.min !== undefined) built.min(panel.min);
  if (panel.max !== undefined) built.max(panel.max);
  if (panel.since !== undefined) built.timeFrom(panel.since);
  return built;
}

function variable(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name).label(label).datasource(SOURCE)
    .query(query).refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true).includeAll(true).allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function annotation(name: string, colour: string, expr: string, text: string): dashboard.AnnotationQueryBuilder {
  const built = new dashboard.AnnotationQueryBuilder().name(name).datasource(SOURCE)
    .enable(true).iconColor(colour).expr(expr);
  return Object.assign(built, { internal: { ...built.build(), titleFormat: name, textFormat: text, step: '60s' } });
}

export function compose(board: Board): dashboard.Dashboard {
  const built = new dashboard.DashboardBuilder(board.title)
    .uid(board.uid).description(board.description).tags(['spillway'])
    .readonly().refresh('30s').time({ from: board.from ?? 'now-6h', to: 'now' }).timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(new dashboard.DashboardLinkBuilder('Spillway').type(dashboard.DashboardLinkType.Dashboards)
      .tags(['spillway']).asDropdown(false).includeVars(true).keepTime(true))
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Data Source').type('prometheus'))
    .withVariable(variable('job', 'Job', 'label_values(spillway_build_info, job)'))
    .withVariable(variable('instance', 'Instance', 'label_values(spillway_build_info{job=~"$job"}, instance)'))
    .annotation(annotation('Policy changed', 'blue',
      `changes(${select('spillway_policy_version')}[2m]) > 0`, 'on {{instance}}'))
    .annotation(annotation('Price changed', 'purple',
      `changes(${select('spillway_pool_node_price_usd_per_hour')}[2m]) > 0`, 'of {{pool}}'));
  let id = 0;
  for (const row of board.rows) {
    built.withRow(new dashboard.RowBuilder(row.title).id(++id));
    let column = 0;
    for (const panel of row.panels) {
      column += panel.wide ?? 8;
      if (column > COLUMNS) throw new Error(`${board.title}: ${row.title}: ${panel.title} stands out to the right`);
      if (column === COLUMNS) column = 0;
      built.withPanel(build(panel).id(++id));
    }
  }
  return built.build();
}
