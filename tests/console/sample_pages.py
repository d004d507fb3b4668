"""Sample contexts of Beacon's own pages, in the shapes their templates document: what they must be able to show."""

from __future__ import annotations

import datetime
from typing import Any

from markupsafe import Markup

from app.entity.labels import Label

TODAY = datetime.date.today()
NOW = datetime.datetime.now().replace(hour=2, minute=10)
BANDS = [("red", 0, 60), ("orange", 60, 70), ("yellow", 70, 80), ("green", 80, 100)]
PERIODS = ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3", "2026Q4"]
INDEX = Label("组织力指数", "Organization strength index")
COMMITTEE = Label("支委会只开 3 次（目标 12 次），失 3.8 分", "3 committee meetings of 12, lost 3.8")
BRANCHES = [
    "塘泾北苑",
    "嘉怡水岸",
    "永康城第一",
    "罗阳新村第五",
    "同心村",
    "聚缘",
    "英武村",
    "上陇新村",
    "智汇园",
    "静安新城第三",
]


def contexts() -> dict[str, dict[str, Any]]:
    """The context of each page, by the name of its template."""
    return {
        "dashboard": dashboard(),
        "no_index": {"title": "总览", "nothing": True},
        "scorecard": scorecard(),
        "league": league(),
        "warnings": warnings(),
        "run": run(),
        "home": home(),
        "member": member(),
    }


def _unit(name: str, red: int, orange: int, yellow: int, no_data: int, green: int, mean: float) -> dict[str, Any]:
    counts = {"red": red, "orange": orange, "yellow": yellow, "no_data": no_data, "green": green}
    return {
        "name": name,
        "url": "/page/league",
        "count": sum(counts.values()),
        "mean": mean,
        "red_share": red / sum(counts.values()),
        "counts": counts,
        "links": {light: f"/page/league?light={light}" for light in counts},
    }


def dashboard() -> dict[str, Any]:
    units = [
        _unit("吴泾镇", 4, 5, 7, 0, 12, 76.1),
        _unit("浦江镇", 8, 10, 17, 0, 41, 80.4),
        _unit("梅陇镇", 7, 10, 17, 0, 45, 81.0),
        _unit("七宝镇", 4, 7, 12, 1, 38, 82.8),
        _unit("莘庄工业区", 0, 1, 2, 0, 7, 86.5),
    ]
    whole = _unit("全区", 40, 68, 121, 6, 361, 82.1)
    return {
        "title": "闵行区组织力总览",
        "index_label": INDEX,
        "indices": [(INDEX, "/page/dashboard", True), (Label("党员先锋指数", "Member vanguard index"), "/", False)],
        "period": "2026Q4",
        "period_state": Label("进行中", "in progress"),
        "periods": [(period, f"/page/dashboard?period={period}") for period in reversed(PERIODS)],
        "as_of": TODAY,
        "evaluated_at": NOW,
        "rule_version": Label("规则第 14 版", "rule version 14"),
        "run_url": "/page/run",
        "stale": True,
        "evaluate_url": "/page/run",
        "measure": Label("个", "branches"),
        "subject_label": Label("参评支部", "Branches scored"),
        "since": Label("较昨日", "since yesterday"),
        "total": {**whole, "mean_change": 0.8, "changes": {"red": 3, "orange": -5, "yellow": 0}},
        "unit_label": Label("街镇", "Street"),
        "league_url": "/page/league",
        "units": units,
        "warnings": {
            "count": 232,
            "url": "/page/warnings",
            "levels": [
                {"light": "red", "count": 23, "new": 3, "url": "/page/warnings"},
                {"light": "orange", "count": 61, "new": 1, "url": "/page/warnings"},
                {"light": "yellow", "count": 148, "new": 0, "url": "/page/warnings"},
            ],
            "kinds": [
                (Label("组织生活会未召开", "No organizational life meeting"), 58, "/page/warnings"),
                (Label("学时进度不足", "Study behind schedule"), 41, "/page/warnings"),
                (Label("换届到期", "Term expired"), 29, "/page/warnings"),
            ],
        },
        "changes": {
            "count": 14,
            "url": "/page/league",
            "rows": [
                {"name": "塘泾南苑居民区党支部", "url": "/", "before": "orange", "after": "red", "why": COMMITTEE},
                {"name": "瑞丽新村居民区党支部", "url": "/", "before": "no_data", "after": "green", "why": COMMITTEE},
            ],
        },
        "worst": [
            {
                "name": f"{name}居民区党支部",
                "url": "/page/scorecard",
                "place": "吴泾镇",
                "light": "red",
                "score": 43.2 + 1.4 * n,
                "why": COMMITTEE,
            }
            for n, name in enumerate(BRANCHES)
        ],
        "trend": {
            "periods": PERIODS,
            "red": [61, 58, 50, 38, 52, 48, 44, 40],
            "orange": [88, 84, 79, 70, 81, 78, 73, 68],
            "yellow": [142, 139, 131, 118, 136, 129, 121, 121],
        },
        "dimensions": [
            {"label": Label("政治引领力", "Political guidance"), "rate": 86.1, "change": 1.2},
            {"label": Label("组织生活力", "Organizational life"), "rate": 71.8, "change": -2.6},
            {"label": Label("服务凝聚力", "Service and cohesion"), "rate": 77.2, "change": None},
        ],
        "remark": Label("全区失分最多的是“组织生活力”。", "Most points are lost in organizational life."),
        "note": Label("演示数据：人员与记录均为系统生成。", "Demonstration data: people and records are generated."),
    }


def _leaf(say: str, english: str, won: float, weight: float, missing: bool = False) -> dict[str, Any]:
    return {
        "label": Label(say, english),
        "say": Label(say, english),
        "figures": [(Label("开了 6 次", "6 held"), "/personview/list/"), (Label("目标 12 次", "12 are due"), None)],
        "basis": Label("《支部工作条例》第十七条", "Branch regulations, article 17"),
        "won": won,
        "weight": weight,
        "lost": None if missing else weight - won,
        "missing": missing,
        "children": [],
    }


def scorecard() -> dict[str, Any]:
    meetings = {
        **_leaf("会议", "Meetings", 7, 11),
        "children": [
            {
                **_leaf("支委会缺 6 次", "6 committee meetings missing", 2.5, 5),
                "say": Markup("支委会缺 <b>6</b> 次"),
            },
            _leaf("支部党员大会缺 1 次", "1 general meeting missing", 4.5, 6),
        ],
    }
    life = {
        **_leaf("组织生活力", "Organizational life", 15.8, 25),
        "children": [
            _leaf("组织生活会尚未召开", "No organizational life meeting yet", 0, 3),
            meetings,
            _leaf("主题党日 12 次，达标", "12 theme days, met", 5, 5),
            _leaf("群众满意度没有数据", "No figure of satisfaction", 0, 4, missing=True),
        ],
    }
    cover = {**_leaf("组织覆盖力", "Coverage", 15, 15), "children": [_leaf("按期换届，达标", "Elected in time", 5, 5)]}
    return {
        "title": "平阳六村居民区党支部",
        "crumbs": [("闵行区", "/page/dashboard"), ("古美街道", "/page/league")],
        "facts": [Label("社区", "Community"), Label("正式党员 44 名", "44 full members")],
        "index_label": INDEX,
        "period": "2026Q4",
        "periods": [(period, f"/page/scorecard?period={period}") for period in reversed(PERIODS)],
        "as_of": TODAY,
        "rule_version": Label("规则第 14 版", "rule version 14"),
        "rule_url": "/page/run",
        "record_url": "/personview/add",
        "subject_url": "/unitview/show/1",
        "stale": False,
        "score": 72.5,
        "most": 100,
        "light": "yellow",
        "grade": Label("合格", "Satisfactory"),
        "bands": BANDS,
        "change": -2.4,
        "sentence": Label("失分最多的是组织生活力（9.2 分）。", "Most was lost in organizational life (9.2 points)."),
        "ranks": [
            {
                "label": Label("同类名次", "Peers"),
                "place": Label("社区支部", "community branches"),
                "rank": 312,
                "of": 418,
                "before": 287,
            },
            {"label": Label("街道名次", "Street"), "place": "古美街道", "rank": None, "of": 42, "before": None},
        ],
        "base": {"score": 73.5, "lost": 26.5},
        "bonus": [{"label": Label("街镇表彰 1 次", "1 commendation"), "points": 1.0, "url": "/"}],
        "penalty": [{"label": Label("橙灯 1 项", "1 orange warning"), "points": -2.0, "url": "/"}],
        "veto": [{"label": Label("弄虚作假", "Fraud"), "url": None, "cap": 59}],
        "radar": {
            "names": [
                Label("政治引领力", "Political guidance"),
                Label("组织覆盖力", "Coverage"),
                Label("组织生活力", "Organizational life"),
                Label("党员先锋力", "Vanguard"),
                Label("服务凝聚力", "Service"),
                Label("共建推动力", "Partnership"),
            ],
            "self": [81, 95, 63, 77, 69, None],
            "peers": [86, 93, 72, 80, 77, 75],
        },
        "trend": {
            "periods": PERIODS,
            "self": [81.2, 80.4, 78.9, None, 77.8, 76.1, 74.9, 72.5],
            "peers": [79.8, 80.1, 80.6, 82.3, 79.9, 80.7, 80.9, 81.4],
        },
        "tree": [life, cover],
        "lost_count": 3,
        "gains": [
            {
                "say": Label("召开组织生活会", "Hold the organizational life meeting"),
                "points": 3.0,
                "url": "/personview/add",
            },
            {"say": Label("再开 6 次支委会", "Hold 6 more committee meetings"), "points": 2.5, "url": None},
        ],
        "next_light": {"light": "green", "edge": 80, "distance": 9.5},
        "warnings": [
            {
                "light": "orange",
                "say": Label("支委缺额 1 名", "1 seat vacant"),
                "detail": Label("已 73 天", "for 73 days"),
                "url": "/",
                "count": 1,
            }
        ],
        "grounds": [
            (Label("规则", "Rule"), Label("第 14 版", "version 14"), "/page/run"),
            (Label("数据", "Data"), "2026-11-23", None),
        ],
        "own": False,
    }


def _pages(total: int, shown: int, measure_url: str) -> dict[str, Any]:
    return {
        "page": 2,
        "pages": 9,
        "total": total,
        "first": 26,
        "last": 25 + shown,
        "url": lambda page: f"{measure_url}?page={page}",
    }


def _filters() -> list[dict[str, Any]]:
    streets = [("", Label("全部街镇", "All streets")), ("1", "吴泾镇"), ("2", "浦江镇")]
    lights = [("", Label("全部", "All")), ("red", Label("红灯", "Red"))]
    return [
        {"name": "period", "label": Label("期间", "Period"), "value": "2026Q4", "options": [("2026Q4", "2026 Q4")]},
        {"name": "street", "label": Label("街镇", "Street"), "value": "1", "options": streets},
        {"name": "light", "label": Label("灯", "Light"), "value": "", "options": lights},
    ]


def league() -> dict[str, Any]:
    lights = ["green", "green", "yellow", "orange", "red"]
    rows = [
        {
            "rank": None if n == 9 else n + 26,
            "name": f"{name}居民区党支部",
            "url": "/page/scorecard",
            "place": "吴泾镇",
            "kind": Label("社区", "Community"),
            "score": None if n == 9 else 88.1 - n,
            "light": "no_data" if n == 9 else lights[n // 2],
            "peer_rank": None if n == 9 else n + 12,
            "peers": 418,
            "change": [1.2, -0.4, 0, None][n % 4],
            "rank_change": [3, -2, 0, None][n % 4],
        }
        for n, name in enumerate(BRANCHES)
    ]
    return {
        "title": "排行榜",
        "context_line": Label("组织力指数 · 2026 年第四季度", "Organization strength index · Q4 2026"),
        "export_url": "/page/league?export=1",
        "filters": _filters(),
        "search": {"name": "q", "label": Label("支部名称", "Name"), "value": ""},
        "active": True,
        "clear_url": "/page/league",
        "measure": Label("个", "branches"),
        "name_label": Label("支部", "Branch"),
        "place_label": Label("街镇", "Street"),
        "rows": rows,
        "pages": _pages(212, len(rows), "/page/league"),
    }


def warnings() -> dict[str, Any]:
    rows = [
        {
            "light": light,
            "title": Label("支委会", "Committee meeting"),
            "detail": Label("10月未开，连续 2 个月", "none in October, the second month"),
            "subject": "塘泾北苑居民区党支部",
            "subject_url": "/page/scorecard",
            "place": "吴泾镇",
            "since": TODAY - datetime.timedelta(days=24),
            "days": 24,
            "record_url": "/personview/add",
        }
        for light in ("red", "red", "orange", "yellow")
    ]
    return {
        "title": "预警",
        "context_line": Label("今天 02:15 检查，新开 6 件", "Checked today 02:15; 6 new"),
        "export_url": None,
        "levels": [
            {"light": "red", "count": 23, "new": 3, "note": Label("3 天", "3 days"), "url": "/", "chosen": True},
            {"light": "orange", "count": 61, "new": 1, "note": Label("7 天", "7 days"), "url": "/", "chosen": False},
            {"light": "yellow", "count": 1148, "new": 0, "note": "", "url": "/", "chosen": False},
        ],
        "filters": _filters()[1:],
        "search": None,
        "active": False,
        "clear_url": "/page/warnings",
        "rows": rows,
        "pages": {**_pages(4, 4, "/page/warnings"), "page": 1, "pages": 1},
    }


def run() -> dict[str, Any]:
    return {
        "title": "评定",
        "run": {
            "state": "running",
            "label": Label("组织力指数等 2 个指数", "Organization strength and 1 more"),
            "cause": Label("从页面开始", "started from the console"),
            "by": "演示·区级管理员",
            "created_at": NOW,
            "started_at": NOW,
            "finished_at": None,
            "rules_done": 1,
            "rules_total": 22,
            "subjects_done": 412,
            "current": INDEX,
            "reason": None,
            "problem": None,
        },
        "poll_url": "/page/run_progress",
        "stop_url": "/page/run",
        "result_url": "/page/dashboard",
        "evaluate_url": "/page/run",
        "choices": [("organization_strength", INDEX)],
        "periods": [("2026Q4", "2026 Q4", False), ("2026Q3", "2026 Q3", True)],
        "form": {"rule": "", "period": "2026Q3", "reason": "补录两次党课", "refused": None},
        "longest_reason": 200,
        "faults": [
            {
                "file": "indices/organization_strength.yaml",
                "line": 37,
                "node": "tree.party_life",
                "message": Label("分值合计 99，应为 100", "weights add up to 99, not 100"),
                "in_force": Label("仍用第 14 版。", "version 14 stays in force."),
            }
        ],
        "recent": [
            {
                "label": INDEX,
                "reason": "补录两次党课",
                "state": "published",
                "at": NOW,
                "by": Label("定时", "schedule"),
                "seconds": 4.2,
                "subjects": 596,
                "url": "/",
            },
            {"label": INDEX, "state": "failed", "at": NOW, "by": "", "seconds": None, "subjects": 596, "url": None},
        ],
    }


def home() -> dict[str, Any]:
    return {
        "title": "演示·支部书记，上午好",
        "context_line": Label("平阳六村居民区党支部 · 11月24日 星期二", "Pingyang branch · Tuesday, 24 Nov"),
        "verdict": {
            "index_label": INDEX,
            "light": "yellow",
            "score": 72.5,
            "scorecard_url": "/page/scorecard",
            "next_light": {"light": "green", "distance": 9.5},
            "gain": 12.3,
        },
        "todos": [
            {
                "light": light,
                "say": Label("支委缺 1 名，请增补", "Fill the vacant committee seat"),
                "why": Label("缺 73 天；街道党工委催办", "vacant for 73 days"),
                "url": "/personview/add",
                "due": TODAY + datetime.timedelta(days=days),
                "points": 1.8,
            }
            for light, days in (("orange", -2), (None, 0), ("yellow", 3), (None, 40))
        ],
        "entries": [
            {"icon": icon, "label": label, "url": "/personview/add"}
            for icon, label in (
                ("fa-people-group", Label("会议", "Meeting")),
                ("fa-person-chalkboard", Label("党课", "Lecture")),
                ("fa-yen-sign", Label("党费", "Fee")),
            )
        ],
        "meetings": {
            "label": Label("11月", "November"),
            "url": "/personview/list/",
            "rows": [
                {
                    "say": Label("主题党日", "Theme day"),
                    "detail": Label("到会 36 / 44 人", "36 of 44 came"),
                    "held": True,
                    "url": None,
                },
                {
                    "say": Label("支委会", "Committee"),
                    "detail": Label("还没有记录", "no record yet"),
                    "held": False,
                    "url": "/",
                },
            ],
        },
        "movements": [
            {"on": TODAY, "say": Label("学时进度低于 80%", "Study below 80%"), "points": -0.5},
            {"on": TODAY - datetime.timedelta(days=6), "say": Label("获表彰 1 次", "1 commendation"), "points": 1.0},
        ],
    }


def member() -> dict[str, Any]:
    return {
        "title": "演示党员 1002，上午好",
        "context_line": "平阳六村居民区党支部",
        "verdict": home()["verdict"],
        "figures": [
            {
                "label": Label("学时", "Study hours"),
                "value": "20 / 32",
                "note": Label("还差 12 学时", "12 to go"),
                "url": "/",
                "part": 20,
                "whole": 32,
            },
            {
                "label": Label("党费", "Fees"),
                "value": "10 / 11",
                "note": Label("11月未交", "November is due"),
                "url": None,
                "part": 10,
                "whole": 11,
            },
        ],
        "todos": [
            {
                "say": Label("交 11 月党费", "Pay the November fee"),
                "why": "12.50",
                "url": None,
                "due": TODAY,
                "points": None,
            }
        ],
        "facts": [(Label("手机号", "Mobile"), "138****8048"), (Label("入党日期", "Joined on"), "1988-06-28")],
        "facts_url": "/users/userinfo/",
    }
