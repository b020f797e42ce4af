"""What the synthetic bills are put together from: names, places, agencies, purposes."""

FIRST = """
    Alma Bruno Carla Daniel Edith Frank Gloria Harold Irene James Karen Louis Maria Nora Oscar
    Paul Rosa Simon Thelma Victor
""".split()
HEAD = """
    Al Bar Bel Bran Cal Car Cor Dal Den Dun El Fen Gar Gil Hal Har Kel Ken Lam Lin Mar Mel Mor
    Nor Or Pel Pem Ros San Sel Tal Tor Var Wal Wen Win
""".split()
TAIL = """
    bert bury by combe den dine don field ford gate ham holt ker ler ley low man mer mont more
    nell ney ridge row ry sby son stead ston ter ton vale ver ville well wick win worth
""".split()
STATES = """
    Alabama Alaska Arizona Colorado Florida Georgia Idaho Iowa Kansas Maine Michigan Montana
    Nevada Ohio Oregon Texas Utah Vermont Virginia Wyoming
""".split()
AGENCIES = [
    "the Secretary of Agriculture",
    "the Secretary of Commerce",
    "the Secretary of Defense",
    "the Secretary of Education",
    "the Secretary of Energy",
    "the Secretary of Labor",
    "the Secretary of the Interior",
    "the Secretary of Transportation",
    "the Secretary of Veterans Affairs",
    "the Attorney General",
]
TOPICS = [
    ("Rural Clinics", "rural clinics"),
    ("Clean Rivers", "clean rivers"),
    ("Safe Bridges", "safe bridges"),
    ("School Meals", "school meals"),
    ("Veterans Housing", "housing for veterans"),
    ("Wildfire Defense", "defense against wildfires"),
    ("Small Farms", "small farms"),
    ("Solar Power", "solar power"),
    ("Public Libraries", "public libraries"),
    ("Coastal Fisheries", "coastal fisheries"),
    ("Job Training", "job training"),
    ("Child Care", "child care"),
    ("Broadband Access", "access to broadband"),
    ("Rail Safety", "safety of railroads"),
    ("Drinking Water", "drinking water"),
    ("Home Heating", "home heating"),
]
RECIPIENTS = [
    "States",
    "counties",
    "Indian tribes",
    "local schools",
    "nonprofit groups",
    "small businesses",
    "universities",
    "public hospitals",
]
PURPOSES = [
    "repair of old buildings",
    "purchase of new equipment",
    "training of workers",
    "hiring of nurses",
    "control of floods",
    "education of parents",
    "removal of lead pipes",
    "research on diseases",
]
OFFENCES = [
    "dumping waste in a lake",
    "selling false permits",
    "fishing without a license",
    "importing unsafe toys",
    "hiding a safety defect",
    "cutting trees in a park",
    "flying over a dam",
    "altering a meter",
]
CA_DEPARTMENTS = [
    "the State Department of Public Health",
    "the Department of Motor Vehicles",
    "the Department of Water Resources",
    "the State Air Resources Board",
    "the Department of Fish and Wildlife",
    "the State Department of Education",
    "the Department of Housing",
    "the Department of Parks",
]
CA_CODES = [
    "Education",
    "Penal",
    "Vehicle",
    "Water",
    "Health and Safety",
    "Public Resources",
    "Labor",
    "Government",
]
CA_DUTIES = [
    "keep a register of permits",
    "inspect each plant once a year",
    "post its rules online",
    "collect data on injuries",
    "set limits on noise",
    "advise cities on drought",
    "certify testing sites",
    "publish a map of hazards",
]
